package dev.kinglet.sample.diagnose

import android.content.Intent
import androidx.lifecycle.SavedStateHandle
import androidx.lifecycle.ViewModel
import androidx.lifecycle.viewModelScope
import dev.kinglet.DeviceInfo
import dev.kinglet.GpuInfo
import dev.kinglet.sample.Parts
import dev.kinglet.sample.engine.Doctor
import dev.kinglet.sample.engine.NoModelException
import dev.kinglet.sample.engine.Problem
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Job
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.asStateFlow
import kotlinx.coroutines.flow.update
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext
import kotlin.time.Duration
import kotlin.time.Duration.Companion.minutes
import kotlin.time.TimeSource

data class DiagnoseState(
    val version: String = "",
    val device: DeviceInfo? = null,
    /** Null while nobody knows. */
    val gpus: List<GpuInfo>? = null,
    val found: Findings = Findings(),
    val running: Examination? = null,
    /** 0 to 1; null where nobody knows. */
    val progress: Float? = null,
    val problem: Problem? = null,
    /** What spoils the next report on purpose, if anything: see [faults]. */
    val fault: String? = null,
)

enum class Examination { QUALIFY, BENCHMARK, ENDURANCE, REPORT }

class DiagnoseViewModel(
    private val parts: Parts,
    private val saved: SavedStateHandle = SavedStateHandle(),
    private val endurance: Duration = 3.minutes,
    private val time: TimeSource = TimeSource.Monotonic,
) : ViewModel() {
    private val doctor: Doctor get() = parts.doctor
    private val now = MutableStateFlow(DiagnoseState(version = parts.doctor.version, found = saved[FOUND] ?: Findings()))
    private var job: Job? = null

    val state: StateFlow<DiagnoseState> = now.asStateFlow()

    /** Fills in what is known without work. The model is opened for it, if one was chosen. */
    fun look() {
        if (now.value.running != null) return
        viewModelScope.launch {
            try {
                val gpus = doctor.gpus()
                now.update { it.copy(gpus = gpus) }
                val device = doctor.device()
                now.update { it.copy(device = device) }
            } catch (left: CancellationException) {
                throw left
            } catch (_: NoModelException) {
                now.update { it.copy(device = null) }
            } catch (error: Exception) {
                now.update { it.copy(problem = Problem.of(error)) }
            }
        }
    }

    fun qualify() = examine(Examination.QUALIFY) {
        val trust = Trust(doctor.qualify(::progress))
        keep { it.copy(trust = trust) }
    }

    fun benchmark() = examine(Examination.BENCHMARK) {
        val cold = Speed(doctor.benchmark())
        keep { it.copy(cold = cold, warm = null) }
    }

    /** The same measurement again and again; the last one tells what heat does. */
    fun endure() = examine(Examination.ENDURANCE) {
        val cold = now.value.found.cold ?: Speed(doctor.benchmark())
        keep { it.copy(cold = cold, warm = null) }
        val begin = time.markNow()
        var last = cold
        while (begin.elapsedNow() < endurance) {
            last = Speed(doctor.benchmark())
            progress((begin.elapsedNow() / endurance).toFloat().coerceAtMost(1f))
        }
        keep { it.copy(warm = last) }
    }

    fun report() = examine(Examination.REPORT) {
        val found = doctor.diagnose(now.value.fault, ::progress)
        withContext(Dispatchers.IO) { parts.reports.write(found.html) }
        keep { it.copy(report = Parting(found)) }
    }

    fun fault(fault: String?) = now.update { it.copy(fault = fault) }

    /** For another app to read. Null where there is no report any more. */
    fun share(): Intent? = parts.reports.last()?.let(parts.reports::share)

    fun stop() {
        job?.cancel()
        now.update { it.copy(running = null, progress = null) }
    }

    fun dismiss() = now.update { it.copy(problem = null) }

    private fun examine(what: Examination, work: suspend () -> Unit) {
        job?.cancel()
        now.update { it.copy(running = what, progress = null, problem = null) }
        job = viewModelScope.launch {
            try {
                work()
            } catch (left: CancellationException) {
                throw left
            } catch (error: Exception) {
                now.update { it.copy(problem = Problem.of(error)) }
            }
            now.update { it.copy(running = null, progress = null) }
        }
    }

    private fun keep(edit: (Findings) -> Findings) {
        now.update { it.copy(found = edit(it.found)) }
        saved[FOUND] = now.value.found
    }

    private fun progress(fraction: Float) = now.update { if (it.running == null) it else it.copy(progress = fraction) }

    private companion object {
        const val FOUND = "found"
    }
}

package dev.kinglet.sample.diagnose

import android.content.Intent
import androidx.compose.material3.Button
import androidx.compose.material3.OutlinedButton
import androidx.compose.material3.Text
import androidx.compose.runtime.Composable
import androidx.compose.runtime.getValue
import androidx.compose.ui.platform.LocalContext
import androidx.compose.ui.res.stringResource
import androidx.lifecycle.Lifecycle
import androidx.lifecycle.compose.LifecycleEventEffect
import androidx.lifecycle.compose.collectAsStateWithLifecycle
import dev.kinglet.Fitness
import dev.kinglet.Verdict
import dev.kinglet.sample.R
import dev.kinglet.sample.ui.Buttons
import dev.kinglet.sample.ui.Choice
import dev.kinglet.sample.ui.Fact
import dev.kinglet.sample.ui.OnLeave
import dev.kinglet.sample.ui.Page
import dev.kinglet.sample.ui.ProblemCard
import dev.kinglet.sample.ui.Quiet
import dev.kinglet.sample.ui.Section
import dev.kinglet.sample.ui.speed
import java.text.NumberFormat

/** What the diagnosis can be asked for. */
class DiagnoseActions(
    val qualify: () -> Unit,
    val benchmark: () -> Unit,
    val endure: () -> Unit,
    val report: () -> Unit,
    val share: () -> Unit,
    val fault: (String?) -> Unit,
    val stop: () -> Unit,
    val toModels: () -> Unit,
    val dismiss: () -> Unit,
)

@Composable
fun DiagnoseScreen(model: DiagnoseViewModel, toModels: () -> Unit) {
    val state by model.state.collectAsStateWithLifecycle()
    val context = LocalContext.current
    LifecycleEventEffect(Lifecycle.Event.ON_RESUME) { model.look() }
    OnLeave(model::stop)
    DiagnosePage(
        state,
        DiagnoseActions(
            qualify = model::qualify,
            benchmark = model::benchmark,
            endure = model::endure,
            report = model::report,
            share = { model.share()?.let { context.startActivity(Intent.createChooser(it, null)) } },
            fault = model::fault,
            stop = model::stop,
            toModels = toModels,
            dismiss = model::dismiss,
        ),
    )
}

@Composable
fun DiagnosePage(state: DiagnoseState, act: DiagnoseActions) {
    Page(
        stringResource(R.string.place_diagnose),
        side = {
            SpeedSection(state, act)
            ReportSection(state, act)
        },
    ) {
        state.problem?.let { ProblemCard(it, act.toModels, act.dismiss) }
        DeviceSection(state)
        GpuSection(state)
        TrustSection(state, act)
    }
}

@Composable
private fun TrustSection(state: DiagnoseState, act: DiagnoseActions) {
    Section(stringResource(R.string.qualification)) {
        Quiet(stringResource(R.string.qualification_what))
        state.found.trust?.let { trust ->
            Text(
                stringResource(
                    when (trust.fitness) {
                        Fitness.GOOD -> R.string.fitness_good
                        Fitness.REPLACED -> R.string.fitness_replaced
                        Fitness.CPU -> R.string.fitness_cpu
                    },
                ),
            )
            trust.replaced.forEach { Quiet(stringResource(R.string.replacement, it.node, it.to, it.from, it.why)) }
        }
        Examine(state, act, Examination.QUALIFY) {
            Button(act.qualify, enabled = state.running == null) { Text(stringResource(R.string.qualify)) }
        }
    }
}

@Composable
private fun SpeedSection(state: DiagnoseState, act: DiagnoseActions) {
    Section(stringResource(R.string.speed)) {
        Quiet(stringResource(R.string.speed_what))
        state.found.cold?.let { Fact(stringResource(R.string.cold), it.words()) }
        state.found.warm?.let { warm ->
            Fact(stringResource(R.string.warm), warm.words())
            state.found.cold?.let { Fact(stringResource(R.string.change), change(it, warm)) }
        }
        Examine(state, act, Examination.BENCHMARK, Examination.ENDURANCE) {
            Buttons {
                Button(act.benchmark, enabled = state.running == null) { Text(stringResource(R.string.benchmark)) }
                OutlinedButton(act.endure, enabled = state.running == null) { Text(stringResource(R.string.endure)) }
            }
        }
    }
}

@Composable
private fun ReportSection(state: DiagnoseState, act: DiagnoseActions) {
    Section(stringResource(R.string.report)) {
        Quiet(stringResource(R.string.report_what))
        if (faults.isNotEmpty()) {
            Text(stringResource(R.string.fault))
            val none = stringResource(R.string.fault_none)
            Choice(listOf(null) + faults, state.fault, { it ?: none }, state.running == null, act.fault)
        }
        state.found.report?.let { found ->
            Text(
                when (found.verdict) {
                    Verdict.SAME -> stringResource(R.string.verdict_same, found.nodes)
                    Verdict.DRIFT -> stringResource(R.string.verdict_drift, found.nodes)
                    Verdict.BROKEN -> stringResource(R.string.verdict_broken, found.firstBad.orEmpty(), found.kindOfFault.orEmpty())
                },
            )
        }
        Examine(state, act, Examination.REPORT) {
            Buttons {
                Button(act.report, enabled = state.running == null) { Text(stringResource(R.string.make_report)) }
                if (state.found.report != null) OutlinedButton(act.share) { Text(stringResource(R.string.share_report)) }
            }
        }
    }
}

/** What begins an examination, or how far it is. */
@Composable
private fun Examine(state: DiagnoseState, act: DiagnoseActions, vararg what: Examination, begin: @Composable () -> Unit) {
    if (state.running in what) Running(state.progress, act.stop) else begin()
}

@Composable
private fun Speed.words() = stringResource(R.string.speeds, speed(reading), speed(writing))

private fun change(cold: Speed, warm: Speed): String {
    val percent = NumberFormat.getPercentInstance()
    val change = percent.format(warm.writing / cold.writing - 1)
    return if (warm.writing > cold.writing) "+$change" else change
}

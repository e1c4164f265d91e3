package dev.kinglet.sample.engine

import android.content.Context
import dev.kinglet.Benchmark
import dev.kinglet.DeviceInfo
import dev.kinglet.Diagnosis
import dev.kinglet.Divergence
import dev.kinglet.GpuInfo
import dev.kinglet.Kinglet
import dev.kinglet.Qualification

/** Over the SDK. */
class KingletDoctor(private val context: Context, private val model: OpenModel) : Doctor {
    override val version: String get() = Kinglet.version

    override suspend fun device(): DeviceInfo = model.get().device()

    override suspend fun gpus(): List<GpuInfo> = Kinglet.gpus()

    override suspend fun benchmark(): Benchmark = model.get().benchmark()

    override suspend fun qualify(progress: (Float) -> Unit): Qualification {
        val file = model.file()
        // It is loaded a second time for this, and a phone has seldom room for both.
        model.release()
        return Kinglet.qualify(context, file, progress = progress)
    }

    override suspend fun diagnose(fault: String?, progress: (Float) -> Unit): Divergence {
        val file = model.file()
        model.release()
        return Kinglet.diagnose(context, file, PROMPT, request = Diagnosis(fault = fault), progress = progress)
    }

    private companion object {
        // Always the same words, and none of them anybody's.
        const val PROMPT = "The kinglet is the smallest bird of the forest. In winter it"
    }
}

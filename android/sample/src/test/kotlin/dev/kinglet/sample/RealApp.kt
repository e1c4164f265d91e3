package dev.kinglet.sample

import dev.kinglet.SummaryQueue
import kotlinx.coroutines.cancel
import org.robolectric.RuntimeEnvironment
import java.io.File

/** The app as it is, with the real SDK on one thread. */
class RealApp : SampleApp() {
    private var made: Parts? = null

    override val parts: Parts
        get() = synchronized(this) { made ?: Parts.real(this, Sample.cpu).also { made = it } }

    /** The process ends, and another begins with what is on disk. */
    fun die() = synchronized(this) {
        made?.scope?.cancel()
        made = null
    }

    /** Another look at the same database. */
    fun queue() = SummaryQueue(this)

    companion object {
        val now: RealApp get() = RuntimeEnvironment.getApplication() as RealApp
    }
}

/** Puts a model where the app keeps its own, and chooses it. */
fun SampleApp.use(model: File) {
    val folder = File(filesDir, "models").apply { mkdirs() }
    model.copyTo(File(folder, model.name))
    File(folder, model.name + ".sha256").writeText("0".repeat(64))
    getSharedPreferences("choices", 0).edit().putString("model", model.name).commit()
}

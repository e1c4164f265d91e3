package dev.kinglet.sample

import org.robolectric.RuntimeEnvironment
import java.io.File

/** The app as it is, with the real SDK on one thread. */
class RealApp : SampleApp() {
    override fun assemble(): Parts = Parts.real(this, Sample.cpu)

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

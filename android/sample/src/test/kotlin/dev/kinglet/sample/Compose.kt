package dev.kinglet.sample

import org.robolectric.shadows.ShadowChoreographer
import java.time.Duration
import java.util.concurrent.atomic.AtomicBoolean

/**
 * Compose keeps its main dispatcher and its watcher of states for as long as the process lives, and they hold on to the main
 * thread's clock. Each test has another clock, so each needs them anew.
 */
object Compose {
    private var made: Any? = null

    /** Once for each application. */
    fun forProcess(application: Any) {
        if (application === made) return
        made = application
        ShadowChoreographer.setPaused(true)
        ShadowChoreographer.setFrameDelay(Duration.ofMillis(16))
        val dispatcher = Class.forName("androidx.compose.ui.platform.AndroidUiDispatcher")
        val perThread = dispatcher.static("currentThread") as ThreadLocal<*>
        perThread.remove()
        val main = checkNotNull(dispatcher.static("Main\$delegate"))
        main.javaClass.getDeclaredField("_value").apply { isAccessible = true }.set(main, perThread.get())
        val watcher = Class.forName("androidx.compose.ui.platform.GlobalSnapshotManager")
        listOf("started", "sent").forEach { (watcher.static(it) as AtomicBoolean).set(false) }
    }

    private fun Class<*>.static(name: String): Any? = getDeclaredField(name).apply { isAccessible = true }.get(null)
}

package dev.kinglet.sample

import android.content.Intent
import android.net.Uri
import androidx.core.content.FileProvider
import dev.kinglet.sample.diagnose.DiagnoseViewModel
import dev.kinglet.sample.diagnose.Examination
import dev.kinglet.sample.engine.NoModelException
import kotlinx.coroutines.CompletableDeferred
import org.junit.Assert.assertEquals
import org.junit.Assert.assertNull
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.Shadows.shadowOf
import org.robolectric.android.controller.ActivityController
import org.robolectric.annotation.Config
import java.io.File
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.seconds
import kotlin.time.TestTimeSource

@RunWith(RobolectricTestRunner::class)
@Config(application = TestApp::class, qualifiers = "w411dp-h891dp-mdpi")
class DiagnoseTest {
    private val app get() = TestApp.now

    private fun show(): Pair<ActivityController<MainActivity>, Screen> {
        val activity = Sample.open()
        return activity to Screen { activity.get() }.apply { touch("Diagnose") }
    }

    @Test
    fun factsAreShown() {
        val (_, screen) = show()
        screen.untilThere("Mali-G715, f16")
        for (fact in listOf("0.1.0", "it passed its exam", "Tier 2", "v1.r38p1", "subgroups", "Can be used")) {
            assertTrue(fact, screen.has(fact))
        }
    }

    @Test
    fun trustSaysWhatWasReplaced() {
        val (_, screen) = show()
        screen.touch("Check")
        screen.untilThere("Some kernels were wrong")
        assertTrue(screen.has("blk.3.ffn_down: vector instead of tile (zeros)"))
    }

    @Test
    fun speedIsMeasuredAgainAfterWork() {
        val time = TestTimeSource()
        app.doctor.worked = { time += 30.seconds }
        val model = DiagnoseViewModel(app.parts, endurance = 3.minutes, time = time)
        model.endure()
        Screen.turnUntil({ "${model.state.value}" }) { model.state.value.running == null }
        val state = model.state.value
        assertEquals(37.0, state.found.cold?.writing)
        // Six more fill three minutes.
        assertEquals(7, app.doctor.benchmarks)
        assertEquals(32.0, state.found.warm?.writing)
    }

    @Test
    fun aReportIsSharedWithNoMorePermissionThanNeeded() {
        val (activity, screen) = show()
        screen.touch("zeros@blk.0.ffn_down")
        screen.touch("Make a report")
        screen.untilThere("Wrong from blk.0.ffn_down on: zeros")
        assertEquals("zeros@blk.0.ffn_down", app.doctor.faultAsked)
        screen.touch("Share the report")
        val chooser = shadowOf(activity.get()).nextStartedActivity
        val shared = checkNotNull(chooser.getParcelableExtra(Intent.EXTRA_INTENT, Intent::class.java))
        assertEquals(Intent.FLAG_GRANT_READ_URI_PERMISSION, shared.flags)
        assertEquals("text/html", shared.type)
        val uri = checkNotNull(shared.getParcelableExtra(Intent.EXTRA_STREAM, Uri::class.java))
        assertEquals("content", uri.scheme)
        val html = app.contentResolver.openInputStream(uri)!!.use { it.readBytes().decodeToString() }
        assertEquals("<html><body>zeros@blk.0.ffn_down</body></html>", html)
    }

    @Test
    fun theDeathOfTheProcessKeepsWhatWasFound() {
        val (activity, screen) = show()
        screen.touch("Check")
        screen.untilThere("Some kernels were wrong")
        screen.touch("Make a report")
        screen.untilThere("412")
        val saved = Sample.die(activity)
        app.doctor.failure = NoModelException()
        val again = Sample.open(saved = saved)
        val later = Screen { again.get() }
        later.untilThere("blk.3.ffn_down: vector instead of tile (zeros)")
        later.untilThere("412")
        assertTrue(later.canTouch("Share the report"))
    }

    @Test
    fun onlyReportsAreEverHandedOut() {
        app.parts.reports.write("<html/>")
        val other = File(app.filesDir, "models/secret.gguf").apply { parentFile!!.mkdirs() }.apply { writeText("x") }
        assertThrows(IllegalArgumentException::class.java) { FileProvider.getUriForFile(app, "${app.packageName}.reports", other) }
        assertThrows(IllegalArgumentException::class.java) {
            FileProvider.getUriForFile(app, "${app.packageName}.reports", File(app.cacheDir, "reports/../other"))
        }
    }

    @Test
    fun anExaminationIsStopped() {
        app.doctor.hold = CompletableDeferred()
        val (_, screen) = show()
        screen.touch("Check")
        screen.untilThere("Working")
        assertTrue(!screen.isEnabled("Make a report"))
        screen.touch("Stop")
        screen.untilGone("Working")
        assertTrue(screen.isEnabled("Make a report"))
    }

    @Test
    fun withoutAModelItSaysSo() {
        app.doctor.failure = NoModelException()
        val (_, screen) = show()
        screen.touch("Measure")
        screen.untilThere("No model has been chosen yet")
        screen.touch("Dismiss")
        screen.untilGone("No model has been chosen yet")
    }

    @Test
    fun leavingTheScreenStopsIt() {
        app.doctor.hold = CompletableDeferred()
        val model = DiagnoseViewModel(app.parts)
        model.qualify()
        assertEquals(Examination.QUALIFY, model.state.value.running)
        model.stop()
        app.doctor.hold?.complete(Unit)
        Screen.turn(20)
        assertNull(model.state.value.running)
        assertNull(model.state.value.found.trust)
    }
}

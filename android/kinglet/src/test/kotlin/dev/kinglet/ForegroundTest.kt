package dev.kinglet

import android.app.Activity
import android.os.Looper
import androidx.lifecycle.ProcessLifecycleOwner
import dev.kinglet.Fixture.test
import dev.kinglet.Fixture.testWith
import dev.kinglet.Fixture.tokens
import kotlinx.coroutines.delay
import kotlinx.coroutines.withTimeout
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Before
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.Robolectric
import org.robolectric.RobolectricTestRunner
import org.robolectric.Shadows.shadowOf
import org.robolectric.android.controller.ActivityController
import java.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

/** A GPU works in the foreground. */
@RunWith(RobolectricTestRunner::class)
class ForegroundTest {
    /** The library attaches itself to the first application of a process; each test has another. */
    @Before
    fun attach() {
        val owner = ProcessLifecycleOwner.Companion
        val init = owner::class.java.methods.single { it.name.startsWith("init") }
        init.invoke(owner, Fixture.context)
    }

    private val gpu = KingletOptions(device = Device.GPU, threads = 1)

    private fun show(): ActivityController<Activity> = Robolectric.buildActivity(Activity::class.java).setup()

    private fun ActivityController<Activity>.leave() {
        pause().stop()
        // So long it might be a rotation.
        shadowOf(Looper.getMainLooper()).idleFor(Duration.ofSeconds(1))
    }

    private suspend fun Kinglet.works() = runCatching { session().use { it.generate("a", tokens(2)).done() } }

    /** What a watcher does, it does on a thread of its own. */
    private suspend fun eventually(what: String, isSo: suspend () -> Boolean) = withTimeout(40.seconds) {
        while (!isSo()) delay(20.milliseconds)
        println(what)
    }

    @Test
    fun inTheBackgroundTheGpuRestsAndComesBack() = test {
        val activity = show()
        Kinglet.open(Fixture.context, Fixture.tiny(), gpu).use { kinglet ->
            assertEquals("gpu", kinglet.device().kind)
            eventually("it works while it is visible") { kinglet.works().isSuccess }
            activity.leave()
            eventually("it rests in the background") { kinglet.works().exceptionOrNull() is KingletException.Suspended }
            activity.restart().start().resume()
            eventually("it works again") { kinglet.works().isSuccess }
            activity.leave()
        }
    }

    @Test
    fun aRotationIsNoLeaving() = test {
        val activity = show()
        Kinglet.open(Fixture.context, Fixture.tiny(), gpu).use { kinglet ->
            eventually("it works") { kinglet.works().isSuccess }
            repeat(3) {
                activity.recreate()
                assertTrue("${kinglet.works().exceptionOrNull()}", kinglet.works().isSuccess)
            }
            activity.leave()
        }
    }

    @Test
    fun whoMayWorksInTheBackgroundToo() = test {
        Kinglet.open(Fixture.context, Fixture.tiny(), gpu.copy(manners = Manners(gpuInBackground = true))).use { kinglet ->
            delay(100.milliseconds)
            assertTrue("${kinglet.works().exceptionOrNull()}", kinglet.works().isSuccess)
        }
    }

    @Test
    fun theAppsOwnWishHoldsBesideIt() = test {
        val activity = show()
        Kinglet.open(Fixture.context, Fixture.tiny(), gpu).use { kinglet ->
            eventually("it works") { kinglet.works().isSuccess }
            kinglet.suspendGpu()
            assertTrue(kinglet.works().exceptionOrNull() is KingletException.Suspended)
            activity.leave()
            activity.restart().start().resume()
            delay(200.milliseconds)
            assertTrue("coming back is not enough", kinglet.works().exceptionOrNull() is KingletException.Suspended)
            kinglet.resumeGpu()
            eventually("it works again") { kinglet.works().isSuccess }
            activity.leave()
        }
    }

    @Test
    fun theCpuDoesNotCare() = testWith { kinglet ->
        val activity = show()
        activity.leave()
        assertTrue("${kinglet.works().exceptionOrNull()}", kinglet.works().isSuccess)
    }

    @Test
    fun inTheBackgroundAModelIsOpenedOnTheCpu() = testWith(options = KingletOptions(threads = 1)) { kinglet ->
        assertEquals("cpu", kinglet.device().kind)
        assertEquals("it was asked for", kinglet.device().reason)
        val activity = show()
        // Brought back to where it may take the GPU: loaded anew, under its own choice.
        eventually("it chooses again") { kinglet.device().reason != "it was asked for" }
        activity.leave()
    }
}

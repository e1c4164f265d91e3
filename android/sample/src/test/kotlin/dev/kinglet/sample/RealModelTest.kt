package dev.kinglet.sample

import android.content.Intent
import dev.kinglet.sample.text.TextActivity
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config

/** The app with SmolLM2. */
@RunWith(RobolectricTestRunner::class)
@Config(application = RealApp::class, qualifiers = "w411dp-h891dp-mdpi")
class RealModelTest {
    private val app get() = RealApp.now

    @Test
    fun aTextIsSummarisedAndPutBack() {
        app.use(Sample.smollm2())
        val intent = Intent(Intent.ACTION_PROCESS_TEXT).putExtra(Intent.EXTRA_PROCESS_TEXT, Believable.TEXT)
        val activity = Sample.open(TextActivity::class.java, intent)
        val screen = Screen { activity.get() }
        screen.touch("Start")
        screen.until("no result") { screen.canTouch("Replace") }
        screen.touch("Replace")
        val summary = shadowOf(activity.get()).resultIntent.getStringExtra(Intent.EXTRA_PROCESS_TEXT).orEmpty()
        assertTrue(summary, summary.length in 10..400)
    }

    @Test
    fun notificationsBecomeADigest() {
        app.use(Sample.smollm2())
        Sample.agree()
        Sample.test { Believable.notifications.take(3).forEachIndexed { at, it -> app.parts.inbox.add("$at", it) } }
        val activity = Sample.open()
        val screen = Screen { activity.get() }
        screen.untilThere("3 notifications wait")
        screen.touch("Make a digest")
        screen.untilThere("Nothing waits")
        Sample.test {
            val made = app.parts.inbox.history().single()
            assertEquals(setOf("Messages", "Post", "Library"), made.groups.map { it.app }.toSet())
            assertTrue(screen.has(made.text))
        }
    }
}

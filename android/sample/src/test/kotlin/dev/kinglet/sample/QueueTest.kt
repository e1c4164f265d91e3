package dev.kinglet.sample

import androidx.work.OneTimeWorkRequestBuilder
import androidx.work.WorkInfo
import dev.kinglet.sample.digest.DigestListener
import dev.kinglet.sample.digest.DigestWorker
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.Robolectric
import org.robolectric.RobolectricTestRunner
import org.robolectric.annotation.Config
import java.util.concurrent.Executors

/** From a notification to its digest, with the SDK's database and a small model. */
@RunWith(RobolectricTestRunner::class)
@Config(application = RealApp::class, qualifiers = "w411dp-h891dp-mdpi")
class QueueTest {
    private val app get() = RealApp.now

    private fun <T> away(read: () -> T): T = Executors.newSingleThreadExecutor().run { submit<T>(read).get().also { shutdown() } }

    private val work = Sample.workManager()

    private fun inBackground(): WorkInfo.State {
        val request = OneTimeWorkRequestBuilder<DigestWorker>().build()
        work.enqueue(request)
        Screen.turnUntil({ "the work does not end" }) { away { work.getWorkInfoById(request.id).get() }?.state?.isFinished == true }
        return checkNotNull(away { work.getWorkInfoById(request.id).get() }).state
    }

    private fun post(vararg texts: String) {
        val listener = Robolectric.buildService(DigestListener::class.java).create().get()
        texts.forEachIndexed { at, text -> listener.onNotificationPosted(Sample.posted(text, id = at)) }
        Screen.turnUntil({ "not kept" }) { waiting().size == texts.size }
    }

    private fun waiting(): List<String> {
        var texts = emptyList<String>()
        Sample.test { app.queue().use { queue -> texts = queue.waiting().map { it.text } } }
        return texts
    }

    @Test
    fun aNotificationOutlivesTheProcessAndIsSummarisedOnce() {
        app.use(Sample.tiny())
        Sample.agree()
        post("The ferry leaves at seven.", "Bring the blue bag.")
        app.die()
        // Nothing is left but what is on disk.
        assertEquals(WorkInfo.State.SUCCEEDED, inBackground())
        assertEquals(emptyList<String>(), waiting())
        assertEquals(1, Sample.notifications.size)
        app.die()
        assertEquals(WorkInfo.State.SUCCEEDED, inBackground())
        Sample.test {
            val made = app.parts.inbox.history().single()
            assertEquals(listOf("The ferry leaves at seven.", "Bring the blue bag."), made.notifications.map { it.text })
        }
    }

    @Test
    fun whatWasSummarisedDoesNotComeAgain() {
        app.use(Sample.tiny())
        Sample.agree()
        post("The ferry leaves at seven.")
        inBackground()
        app.die()
        val listener = Robolectric.buildService(DigestListener::class.java).create().get()
        listener.onNotificationPosted(Sample.posted("The ferry leaves at seven.", id = 0))
        listener.onNotificationPosted(Sample.posted("Something new.", id = 1))
        Screen.turnUntil({ "${waiting()}" }) { waiting() == listOf("Something new.") }
    }

    @Test
    fun itWaitsForAModel() {
        Sample.agree()
        post("The ferry leaves at seven.")
        assertEquals(WorkInfo.State.SUCCEEDED, inBackground())
        assertEquals(listOf("The ferry leaves at seven."), waiting())
        assertTrue(Sample.notifications.isEmpty())
    }

    @Test
    fun aDigestThatIsLeftLosesNothing() {
        app.use(Sample.tiny())
        Sample.agree()
        post(*Array(12) { "Notification number $it says that the ferry leaves at $it and that nobody should be late." })
        val activity = Sample.open()
        val screen = Screen { activity.get() }
        screen.touch("Make a digest")
        screen.until("it does not begin") { screen.canTouch("Stop") || waiting().isEmpty() }
        if (screen.canTouch("Stop")) screen.touch("Stop")
        Screen.turn(200)
        val kept = waiting()
        Sample.test { assertEquals(12, kept.size + app.parts.inbox.history().sumOf { it.notifications.size }) }
    }
}

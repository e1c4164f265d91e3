package dev.kinglet.sample

import android.app.Notification
import android.content.Intent
import androidx.work.OneTimeWorkRequestBuilder
import androidx.work.WorkInfo
import dev.kinglet.sample.digest.DigestSchedule
import dev.kinglet.sample.digest.DigestWorker
import dev.kinglet.sample.digest.MarkReadReceiver
import dev.kinglet.sample.engine.NoModelException
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Before
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config
import java.util.concurrent.Executors

/** Digests that nobody looks at while they are made. */
@RunWith(RobolectricTestRunner::class)
@Config(application = TestApp::class)
class BackgroundTest {
    private val app get() = TestApp.now
    private val work = Sample.workManager()

    @Before
    fun something() = Sample.test {
        Sample.agree()
        Believable.notifications.forEachIndexed { at, it -> app.inbox.add("$at", it) }
    }

    /** What the system does when the time has come. */
    private fun run(): WorkInfo.State {
        val request = OneTimeWorkRequestBuilder<DigestWorker>().build()
        work.enqueue(request)
        Screen.turnUntil({ "the work does not end" }) { away { work.getWorkInfoById(request.id).get() }?.state?.isFinished == true }
        return checkNotNull(away { work.getWorkInfoById(request.id).get() }).state
    }

    /** WorkManager reads its database, which the main thread must not wait for. */
    private fun <T> away(read: () -> T): T = Executors.newSingleThreadExecutor().run {
        submit<T>(read).get().also { shutdown() }
    }

    private fun states(name: String): List<WorkInfo.State> = away { work.getWorkInfosForUniqueWork(name).get().map { it.state } }

    @Test
    fun aDigestIsNotifiedOfOnce() {
        assertEquals(WorkInfo.State.SUCCEEDED, run())
        val shown = Sample.notifications.single()
        assertEquals(Believable.DIGEST, shown.extras.getCharSequence(Notification.EXTRA_TEXT).toString())
        assertEquals("Digest of 5 notifications", shown.extras.getCharSequence(Notification.EXTRA_TITLE).toString())
        assertEquals(Notification.VISIBILITY_PRIVATE, shown.visibility)
        app.parts.notifier.remove()
        assertEquals(WorkInfo.State.SUCCEEDED, run())
        assertEquals(emptyList<Notification>(), Sample.notifications)
        assertEquals(1, app.inbox.content.value.history.size)
    }

    @Test
    fun itsActionsDoWhatTheySay() {
        run()
        val actions = Sample.notifications.single().actions.associateBy { it.title.toString() }
        assertEquals(setOf("Mark as read", "Open Kinglet", "Why this?"), actions.keys)

        fun target(title: String): Intent = shadowOf(actions.getValue(title).actionIntent).savedIntent
        assertEquals("kinglet:digest", target("Open Kinglet").dataString)
        assertEquals("kinglet:digest/1", target("Why this?").dataString)

        val markRead = actions.getValue("Mark as read").actionIntent
        assertTrue(markRead.isBroadcast && markRead.isImmutable)
        assertEquals(MarkReadReceiver::class.java.name, target("Mark as read").component?.className)
        MarkReadReceiver().onReceive(app, target("Mark as read"))
        assertEquals(1L, app.parts.preferences.choices.value.read)
        assertEquals(emptyList<Notification>(), Sample.notifications)

        val screen = Screen(Sample.open(target("Why this?")).get())
        screen.untilThere("Made of these notifications")
        assertTrue(screen.has("bring the blue bag"))
    }

    @Test
    fun withoutConsentNothingIsMade() {
        app.parts.preferences.change { it.copy(consent = false) }
        assertEquals(WorkInfo.State.SUCCEEDED, run())
        assertEquals(5, app.inbox.content.value.waiting.size)
    }

    @Test
    fun withoutAModelItWaits() {
        app.assistant.failure = NoModelException()
        assertEquals(WorkInfo.State.SUCCEEDED, run())
        assertEquals(5, app.inbox.content.value.waiting.size)
        assertEquals(emptyList<Notification>(), Sample.notifications)
    }

    @Test
    fun oneThatWasMadeBeforeTheEndIsNotifiedOfLater() {
        // The process ended between the two.
        app.inbox.digest(Believable.DIGEST)
        assertEquals(WorkInfo.State.SUCCEEDED, run())
        assertEquals(1, Sample.notifications.size)
        assertEquals(1L, app.parts.preferences.choices.value.announced)
    }

    @Test
    fun theScheduleIsKeptByWorkManager() {
        app.parts.schedule.set(Schedule.EVERY_3_HOURS)
        Screen.turnUntil({ "${states(DigestSchedule.REGULAR)}" }) { states(DigestSchedule.REGULAR) == listOf(WorkInfo.State.ENQUEUED) }
        app.parts.schedule.set(Schedule.OFF)
        Screen.turnUntil({ "${states(DigestSchedule.REGULAR)}" }) { states(DigestSchedule.REGULAR).all { it == WorkInfo.State.CANCELLED } }
    }

    @Test
    fun onceMeansNowAndInTheBackground() {
        app.parts.schedule.once()
        Screen.turnUntil({ "${states(DigestSchedule.ONCE)}" }) { states(DigestSchedule.ONCE) == listOf(WorkInfo.State.SUCCEEDED) }
        assertEquals(Believable.DIGEST, app.inbox.content.value.history.single().text)
        assertEquals(1, Sample.notifications.size)
    }
}

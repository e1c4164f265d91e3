package dev.kinglet.sample

import android.content.Intent
import android.provider.Settings
import dev.kinglet.sample.engine.NoModelException
import kotlinx.coroutines.channels.Channel
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.Shadows.shadowOf
import org.robolectric.android.controller.ActivityController
import org.robolectric.annotation.Config

@RunWith(RobolectricTestRunner::class)
@Config(application = TestApp::class, qualifiers = "w411dp-h891dp-mdpi")
class DigestScreenTest {
    private val app get() = TestApp.now

    private fun waiting() = Sample.test {
        Sample.agree()
        Believable.notifications.forEachIndexed { at, it -> app.inbox.add("$at", it) }
    }

    private fun streaming() = Channel<String>(Channel.UNLIMITED).also { app.assistant.pieces = it }

    private fun show(): Pair<ActivityController<MainActivity>, Screen> {
        val activity = Sample.open()
        return activity to Screen { activity.get() }
    }

    @Test
    fun itAsksBeforeAnything() {
        // The library that reads the setting remembers the last one.
        Settings.Secure.putString(app.contentResolver, "enabled_notification_listeners", "")
        val (activity, screen) = show()
        screen.untilThere("Kinglet has no permission to use the Internet")
        assertFalse(screen.has("Nothing waits"))
        screen.touch("Agree and continue")
        screen.untilThere("One more step")
        assertTrue(app.parts.preferences.choices.value.consent)
        screen.touch("Open settings")
        val settings = shadowOf(activity.get()).nextStartedActivity
        assertEquals(Settings.ACTION_NOTIFICATION_LISTENER_DETAIL_SETTINGS, settings.action)
        Sample.agree()
        activity.pause().resume()
        screen.untilGone("One more step")
    }

    @Test
    fun aDigestAppearsPieceByPiece() {
        waiting()
        val pieces = streaming()
        val (_, screen) = show()
        screen.untilThere("5 notifications wait")
        screen.touch("Make a digest")
        for (piece in listOf("Mia", " wants to meet", " at the pier.")) {
            pieces.trySend(piece)
            screen.untilThere(piece)
        }
        assertTrue(screen.has("Mia wants to meet at the pier."))
        assertTrue(screen.has("5 notifications wait"))
        assertTrue(screen.canTouch("Stop"))
        pieces.close()
        screen.untilThere("Nothing waits")
        assertFalse(screen.canTouch("Stop"))
        assertEquals("Mia wants to meet at the pier.", app.inbox.content.value.history.single().text)
        // It was seen: no notification of it, and it is not unread.
        Screen.turnUntil({ "not marked" }) { app.parts.preferences.choices.value.announced == 1L }
        assertFalse(screen.has("Unread"))
    }

    @Test
    fun stopStopsAndLosesNothing() {
        waiting()
        val pieces = streaming()
        val (_, screen) = show()
        screen.touch("Make a digest")
        pieces.trySend("Mia")
        screen.untilThere("Mia")
        screen.touch("Stop")
        Screen.turnUntil({ "it goes on" }) { app.assistant.left == 1 }
        screen.untilGone("Stop")
        assertEquals(5, app.inbox.content.value.waiting.size)
        assertTrue(screen.isEnabled("Make a digest"))
    }

    @Test
    fun leavingTheScreenStopsIt() {
        waiting()
        streaming().trySend("Mia wants")
        val (_, screen) = show()
        screen.touch("Make a digest")
        screen.untilThere("Mia wants")
        assertEquals(0, app.assistant.left)
        screen.touch("Models")
        Screen.turnUntil({ "it goes on" }) { app.assistant.left == 1 }
    }

    @Test
    fun turningTheDeviceDoesNot() {
        waiting()
        val pieces = streaming()
        val (activity, screen) = show()
        screen.touch("Make a digest")
        pieces.trySend("Mia wants")
        screen.untilThere("Mia wants")
        val turned = Sample.turn(activity)
        val later = Screen { turned.get() }
        pieces.trySend(" to meet")
        later.untilThere("Mia wants to meet")
        assertEquals(0, app.assistant.left)
        pieces.close()
        later.untilThere("Nothing waits")
    }

    @Test
    fun afterTheProcessDiedThePageIsTheSame() {
        waiting()
        app.inbox.digest(Believable.DIGEST)
        val (activity, screen) = show()
        screen.touch(Believable.DIGEST)
        screen.untilThere("Made of these notifications")
        val saved = Sample.die(activity)
        val again = Sample.open(saved = saved)
        val later = Screen { again.get() }
        later.untilThere("Made of these notifications")
        later.touch("Back")
        later.untilThere("Earlier digests")
    }

    @Test
    fun everythingGoesAfterAQuestion() {
        waiting()
        app.inbox.digest(Believable.DIGEST)
        app.parts.preferences.change { it.copy(apps = mapOf("org.example.chat" to "Chat")) }
        app.parts.notifier.post(app.inbox.content.value.history.single())
        val report = app.parts.reports.write("<html/>")
        val (_, screen) = show()
        screen.touch("Settings")
        screen.touch("Delete everything")
        screen.untilThere("Delete everything?")
        screen.touch("Cancel")
        screen.untilGone("Delete everything?")
        assertEquals(1, app.inbox.content.value.history.size)

        screen.touch("Delete everything")
        screen.untilThere("Delete everything?")
        screen.touchLast("Delete everything")
        screen.untilThere("No digests yet")
        Screen.turnUntil({ "something is left" }) { !report.exists() && app.inbox.content.value.history.isEmpty() }
        assertEquals(emptyMap<String, String>(), app.parts.preferences.choices.value.apps)
        assertEquals(0, Sample.notifications.size)
        assertTrue(app.parts.preferences.choices.value.consent)
    }

    @Test
    fun anAppIsSwitchedOff() {
        waiting()
        app.parts.preferences.change { it.copy(apps = mapOf("org.example.chat" to "Chat", "org.example.mail" to "Mail")) }
        val (_, screen) = show()
        screen.touch("Settings")
        screen.touch("Mail")
        assertEquals(setOf("org.example.mail"), app.parts.preferences.choices.value.muted)
        screen.touch("Mail")
        assertEquals(emptySet<String>(), app.parts.preferences.choices.value.muted)
    }

    @Test
    fun withdrawingEndsTheScheduleToo() {
        waiting()
        val (_, screen) = show()
        screen.touch("Settings")
        screen.touch("Daily")
        Screen.turnUntil({ "no schedule" }) { app.parts.preferences.choices.value.schedule == Schedule.DAILY }
        screen.touch("Stop reading notifications")
        screen.untilThere("Agree and continue")
        assertEquals(Schedule.OFF, app.parts.preferences.choices.value.schedule)
        assertEquals(5, app.inbox.content.value.waiting.size)
    }

    @Test
    fun withoutAModelItSaysWhereToGetOne() {
        waiting()
        app.assistant.failure = NoModelException()
        val (_, screen) = show()
        screen.touch("Make a digest")
        screen.untilThere("No model has been chosen yet")
        screen.touch("Choose a model")
        screen.untilThere("Add a model")
    }

    @Test
    fun unreadDigestsAreCountedUntilTheyAreOpened() {
        waiting()
        app.inbox.digest(Believable.DIGEST)
        val (_, screen) = show()
        screen.untilThere("Unread")
        screen.touch(Believable.DIGEST)
        Screen.turnUntil({ "still unread" }) { app.parts.preferences.choices.value.read == 1L }
        screen.touch("Delete")
        screen.untilThere("No digests yet")
    }

    @Test
    fun aNotificationLeadsToItsDigestWhileTheAppIsOpen() {
        waiting()
        app.inbox.digest(Believable.DIGEST)
        val (activity, screen) = show()
        screen.touch("Models")
        screen.untilThere("Add a model")
        activity.newIntent(MainActivity.digest(app, 1))
        screen.untilThere("Made of these notifications")
        activity.newIntent(Intent(Intent.ACTION_MAIN))
        assertTrue(screen.has("Made of these notifications"))
    }
}

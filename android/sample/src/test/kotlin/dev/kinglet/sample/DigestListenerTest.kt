package dev.kinglet.sample

import dev.kinglet.sample.digest.DigestListener
import org.junit.Assert.assertEquals
import org.junit.Before
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.Robolectric
import org.robolectric.RobolectricTestRunner
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config

@RunWith(RobolectricTestRunner::class)
@Config(application = TestApp::class)
class DigestListenerTest {
    private val app get() = TestApp.now
    private val listener = Robolectric.buildService(DigestListener::class.java).create().get()
    private val waiting get() = app.inbox.content.value.waiting.map { it.text }

    @Before
    fun install() = Sample.install("org.example.chat", "Chat")

    private fun untilWaiting(vararg texts: String) = Screen.turnUntil({ "$waiting" }) { waiting == texts.toList() }

    @Test
    fun nothingIsKeptWithoutConsent() {
        listener.onNotificationPosted(Sample.posted("before"))
        Sample.agree()
        listener.onNotificationPosted(Sample.posted("after"))
        untilWaiting("after")
        assertEquals(setOf("org.example.chat"), app.parts.preferences.choices.value.apps.keys)
    }

    @Test
    fun anAppThatWasSwitchedOffIsLeftOut() {
        Sample.agree()
        app.parts.preferences.change { it.copy(muted = setOf("org.example.chat")) }
        listener.onNotificationPosted(Sample.posted("of the chat"))
        listener.onNotificationPosted(Sample.posted("of another app", app = "org.example.mail"))
        untilWaiting("of another app")
        // Otherwise nobody could switch it on again.
        assertEquals("Chat", app.parts.preferences.choices.value.apps["org.example.chat"])
    }

    @Test
    fun whatIsPostedTwiceWaitsOnce() {
        Sample.agree()
        repeat(3) { listener.onNotificationPosted(Sample.posted("once")) }
        listener.onNotificationPosted(Sample.posted("last", id = 2))
        untilWaiting("once", "last")
    }

    @Test
    fun whatIsSwipedAwayNeedsNoDigest() {
        Sample.agree()
        listener.onNotificationPosted(Sample.posted("read already"))
        listener.onNotificationPosted(Sample.posted("stays", id = 2))
        untilWaiting("read already", "stays")
        listener.onNotificationRemoved(Sample.posted("read already"))
        untilWaiting("stays")
    }

    @Test
    fun theOrderIsThatOfThePosts() {
        Sample.agree()
        app.inbox.slow = "first"
        listener.onNotificationPosted(Sample.posted("first"))
        listener.onNotificationPosted(Sample.posted("second", id = 2))
        untilWaiting("first", "second")
    }

    @Test
    fun whatIsGoneAtOnceDoesNotStay() {
        Sample.agree()
        app.inbox.slow = "gone"
        listener.onNotificationPosted(Sample.posted("gone"))
        listener.onNotificationRemoved(Sample.posted("gone"))
        listener.onNotificationPosted(Sample.posted("stays", id = 2))
        untilWaiting("stays")
        // Nor does it come later.
        Screen.turn(200)
        assertEquals(listOf("stays"), waiting)
    }

    @Test
    fun aFullDiskEndsNothing() {
        Sample.agree()
        val failures = mutableListOf<Throwable>()
        val before = Thread.getDefaultUncaughtExceptionHandler()
        Thread.setDefaultUncaughtExceptionHandler { _, failure -> failures += failure }
        try {
            app.inbox.tooMuch = "too much"
            listener.onNotificationPosted(Sample.posted("too much"))
            listener.onNotificationPosted(Sample.posted("stays", id = 2))
            untilWaiting("stays")
        } finally {
            Thread.setDefaultUncaughtExceptionHandler(before)
        }
        assertEquals(emptyList<Throwable>(), failures)
    }

    @Test
    fun whatIsThereAlreadyIsCollected() {
        Sample.agree()
        shadowOf(listener).addActiveNotification(Sample.posted("from before"))
        listener.onListenerConnected()
        untilWaiting("from before")
    }

    @Test
    fun namesAreThoseOfTheApps() {
        Sample.agree()
        listener.onNotificationPosted(Sample.posted("a"))
        listener.onNotificationPosted(Sample.posted("b", app = "org.example.unknown"))
        untilWaiting("a", "b")
        assertEquals(listOf("Chat", "org.example.unknown"), app.inbox.content.value.waiting.map { it.app })
    }
}

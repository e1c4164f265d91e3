package dev.kinglet.sample

import android.app.Activity
import android.content.ClipboardManager
import android.content.Intent
import dev.kinglet.sample.text.TextActivity
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

/** Texts in the app, and from others. */
@RunWith(RobolectricTestRunner::class)
@Config(application = TestApp::class, qualifiers = "w411dp-h891dp-mdpi")
class TextTest {
    private val app get() = TestApp.now

    private fun window(intent: Intent): Pair<ActivityController<TextActivity>, Screen> {
        val activity = Sample.open(TextActivity::class.java, intent)
        return activity to Screen { activity.get() }
    }

    private fun selected(readOnly: Boolean = false) = Intent(Intent.ACTION_PROCESS_TEXT)
        .putExtra(Intent.EXTRA_PROCESS_TEXT, Believable.TEXT)
        .putExtra(Intent.EXTRA_PROCESS_TEXT_READONLY, readOnly)

    private fun textScreen(): Pair<ActivityController<MainActivity>, Screen> {
        val activity = Sample.open()
        return activity to Screen { activity.get() }.apply { touch("Text") }
    }

    @Test
    fun selectedTextIsReplaced() {
        val (activity, screen) = window(selected())
        screen.untilThere("The ferry timetable has changed")
        screen.touch("Rewrite")
        screen.touch("Formal")
        screen.touch("Start")
        screen.untilThere(Believable.SUMMARY)
        screen.touch("Replace")
        val shadow = shadowOf(activity.get())
        assertEquals(Activity.RESULT_OK, shadow.resultCode)
        assertEquals(Believable.SUMMARY, shadow.resultIntent.getStringExtra(Intent.EXTRA_PROCESS_TEXT))
        assertTrue(activity.get().isFinishing)
    }

    @Test
    fun whatCannotBeChangedIsNotReplaced() {
        val (_, screen) = window(selected(readOnly = true))
        screen.touch("Start")
        screen.untilThere(Believable.SUMMARY)
        assertFalse(screen.canTouch("Replace"))
        assertTrue(screen.canTouch("Copy"))
    }

    @Test
    fun sharedTextIsTaken() {
        val (activity, screen) = window(Intent(Intent.ACTION_SEND).setType("text/plain").putExtra(Intent.EXTRA_TEXT, "Shared words"))
        screen.untilThere("Shared words")
        screen.touch("Start")
        screen.untilThere(Believable.SUMMARY)
        assertFalse(screen.canTouch("Replace"))
        screen.touch("Share")
        val chooser = shadowOf(activity.get()).nextStartedActivity
        val shared = chooser.getParcelableExtra(Intent.EXTRA_INTENT, Intent::class.java)
        assertEquals(Believable.SUMMARY, shared?.getStringExtra(Intent.EXTRA_TEXT))
    }

    @Test
    fun closingLeavesTheTextAlone() {
        val (activity, screen) = window(selected())
        screen.touch("Close")
        assertTrue(activity.get().isFinishing)
        assertEquals(Activity.RESULT_CANCELED, shadowOf(activity.get()).resultCode)
    }

    @Test
    fun closingTheWindowStopsIt() {
        app.assistant.pieces = Channel<String>(Channel.UNLIMITED).apply { trySend("The ferry") }
        val (activity, screen) = window(selected())
        screen.touch("Start")
        screen.untilThere("The ferry")
        activity.get().finish()
        activity.pause().stop().destroy()
        Screen.turnUntil({ "it goes on" }) { app.assistant.left == 1 }
    }

    @Test
    fun everyTaskHasItsResult() {
        val (_, screen) = textScreen()
        screen.type("Your text", Believable.TEXT)
        screen.touch("Extract")
        screen.type("What to find", "who, when")
        screen.touch("Start")
        screen.untilThere("Value 1")
        assertTrue(screen.has("not in the text"))
        screen.touch("Classify")
        screen.touch("Start")
        screen.untilThere("82%")
        assertTrue(screen.has("question"))
        screen.touch("Reply")
        screen.touch("Start")
        screen.untilThere("Could we do eight?")
        assertEquals(3, screen.clickables().count { it.label == "Copy" })
    }

    @Test
    fun aResultIsCopied() {
        val (_, screen) = textScreen()
        assertFalse(screen.isEnabled("Start"))
        screen.type("Your text", Believable.TEXT)
        screen.touch("Start")
        screen.untilThere(Believable.SUMMARY)
        screen.touch("Copy")
        val clip = app.getSystemService(ClipboardManager::class.java)?.primaryClip
        assertEquals(Believable.SUMMARY, clip?.getItemAt(0)?.text?.toString())
    }

    @Test
    fun whatWasStoppedCanBeUsed() {
        app.assistant.pieces = Channel<String>(Channel.UNLIMITED).apply { trySend("The ferry") }
        val (_, screen) = textScreen()
        screen.type("Your text", Believable.TEXT)
        screen.touch("Start")
        screen.untilThere("The ferry")
        assertFalse(screen.canTouch("Copy"))
        screen.touch("Stop")
        screen.until("nothing to copy") { screen.canTouch("Copy") }
        assertEquals(1, app.assistant.left)
    }

    @Test
    fun turningTheDeviceKeepsTheResult() {
        val (activity, screen) = textScreen()
        screen.type("Your text", Believable.TEXT)
        screen.touch("Start")
        screen.untilThere(Believable.SUMMARY)
        val turned = Sample.turn(activity)
        val later = Screen { turned.get() }
        later.untilThere(Believable.SUMMARY)
        assertEquals(Believable.TEXT, later.typed("Your text"))
    }

    @Test
    fun theDeathOfTheProcessKeepsTextAndResult() {
        val (activity, screen) = textScreen()
        screen.type("Your text", Believable.TEXT)
        screen.touch("Rewrite")
        screen.touch("Shorter")
        screen.touch("Start")
        screen.untilThere(Believable.SUMMARY)
        val saved = Sample.die(activity)
        val again = Sample.open(saved = saved)
        val later = Screen { again.get() }
        later.untilThere(Believable.SUMMARY)
        assertEquals(Believable.TEXT, later.typed("Your text"))
        assertTrue(later.canTouch("Shorter"))
    }

    @Test
    fun aFailureIsSaidInItsOwnWords() {
        app.assistant.failure = IllegalStateException("the model says no; try another")
        val (_, screen) = textScreen()
        screen.type("Your text", Believable.TEXT)
        for (task in listOf("Summarise", "Reply")) {
            screen.touch(task)
            screen.touch("Start")
            screen.untilThere("the model says no; try another")
            assertTrue(screen.isEnabled("Start"))
        }
    }
}

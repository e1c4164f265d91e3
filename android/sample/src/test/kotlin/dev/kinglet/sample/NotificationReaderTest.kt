package dev.kinglet.sample

import android.app.Notification
import dev.kinglet.NotificationText
import dev.kinglet.sample.digest.NotificationReader
import org.junit.Assert.assertEquals
import org.junit.Assert.assertNotEquals
import org.junit.Assert.assertNull
import org.junit.Before
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.annotation.Config
import java.util.TimeZone

@RunWith(RobolectricTestRunner::class)
@Config(application = TestApp::class)
class NotificationReaderTest {
    private val reader = NotificationReader("dev.kinglet.sample") { "Chat" }

    @Before
    fun utc() = TimeZone.setDefault(TimeZone.getTimeZone("UTC"))

    private fun read(change: Notification.Builder.() -> Unit) = reader.read(Sample.posted("See you at seven", change = change))

    @Test
    fun whatItSays() = assertEquals(
        NotificationText("Chat", "Mia", "See you at seven", "2026-05-14T12:00:00"),
        reader.read(Sample.posted("See you at seven")),
    )

    @Test
    fun theWholeOfALongOne() {
        val long = read { style = Notification.BigTextStyle().bigText("See you at seven, at the pier") }
        assertEquals("See you at seven, at the pier", long?.text)
        val lines = read { style = Notification.InboxStyle().addLine("Hi").addLine("See you at seven") }
        assertEquals("Hi\nSee you at seven", lines?.text)
    }

    @Test
    fun ongoingOnesAreLeftOut() = assertNull(read { setOngoing(true) })

    @Test
    fun secretOnesAreLeftOut() = assertNull(read { setVisibility(Notification.VISIBILITY_SECRET) })

    @Test
    fun summariesOfGroupsAreLeftOut() = assertNull(read { setGroup("all").setGroupSummary(true) })

    @Test
    fun callsAndMusicAreLeftOut() = listOf(Notification.CATEGORY_CALL, Notification.CATEGORY_TRANSPORT).forEach {
        assertNull(it, read { setCategory(it) })
    }

    @Test
    fun theAppsOwnAreLeftOut() = assertNull(reader.read(Sample.posted("A digest", app = "dev.kinglet.sample")))

    @Test
    fun whatSaysNothingIsLeftOut() = assertNull(reader.read(Sample.posted("  ")))

    @Test
    fun theSameWordsHaveTheSameKey() {
        assertEquals(reader.key(Sample.posted("a")), reader.key(Sample.posted("a")))
        assertNotEquals(reader.key(Sample.posted("a")), reader.key(Sample.posted("b")))
        assertNotEquals(reader.key(Sample.posted("a")), reader.key(Sample.posted("a", id = 2)))
        assertNotEquals(reader.key(Sample.posted("a")), reader.key(Sample.posted("a") { setWhen(1) }))
    }
}

package dev.kinglet.sample

import dev.kinglet.sample.ui.Place
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Before
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.annotation.Config
import org.robolectric.annotation.GraphicsMode

/** For those who listen, and those who need large letters. */
@RunWith(RobolectricTestRunner::class)
@GraphicsMode(GraphicsMode.Mode.NATIVE)
@Config(application = TestApp::class, qualifiers = "w411dp-h891dp-mdpi")
class ReachTest {
    private val app get() = TestApp.now

    @Before
    fun something() = Sample.test {
        Sample.agree()
        app.parts.preferences.change { it.copy(apps = Believable.apps) }
        app.inbox.add("0", Believable.notifications[0])
        app.inbox.digest(Believable.DIGEST)
        app.inbox.add("1", Believable.notifications[1])
    }

    /** Each screen, and the pages behind it. */
    private fun everywhere(check: (String, Screen) -> Unit) {
        val activity = Sample.open()
        val screen = Screen { activity.get() }
        fun see(name: String, text: String) {
            screen.untilThere(text)
            Screen.turn(50)
            check(name, screen)
        }
        see("digest", app.getString(R.string.earlier))
        screen.touch(Believable.DIGEST)
        see("why", app.getString(R.string.why_made_of))
        screen.touch(app.getString(R.string.back))
        screen.touch(app.getString(R.string.settings))
        see("settings", app.getString(R.string.your_data))
        screen.touch(app.getString(Place.TEXT.label))
        see("text", app.getString(R.string.run))
        screen.touch(app.getString(Place.MODELS.label))
        see("models", app.getString(R.string.import_model))
        screen.touch("${app.getString(R.string.model_details)}: qwen3-1.7b-q4_k_m")
        see("model", app.getString(R.string.memory_why))
        screen.touch(app.getString(Place.DIAGNOSE.label))
        see("diagnose", app.getString(R.string.make_report))
        activity.pause().stop().destroy()
    }

    @Test
    fun everythingThatCanBeTouchedHasAName() = everywhere { name, screen ->
        val touchable = screen.clickables()
        assertTrue(name, touchable.size > 4)
        assertEquals(name, emptyList<Any>(), touchable.filter { it.label.isBlank() }.map { it.bounds })
    }

    @Test
    @Config(qualifiers = "w411dp-h3000dp-mdpi")
    fun everythingThatCanBeTouchedIsLargeEnough() = everywhere { name, screen ->
        // A finger needs 48 dp; what Compose draws smaller it lets be touched beside.
        val small = screen.clickables().filter { it.touch.height < 48 || it.touch.width < 48 }
        assertEquals(name, emptyList<String>(), small.map { "${it.label} ${it.touch}" })
    }

    @Test
    fun lettersOfTwiceTheSizeAreNotCut() {
        RuntimeEnvironment.setFontScale(2f)
        everywhere { name, screen ->
            // A long digest ends in dots at any size.
            val cut = screen.clickables().filter { Believable.DIGEST !in it.label && it.isCut() }
            assertEquals(name, emptyList<String>(), cut.map { "${it.label} in ${it.bounds}: ${it.layouts.map { text -> text.size }}" })
            val outside = screen.clickables().filter { it.bounds.left < 0 || it.bounds.right > 411 || it.bounds.width < 1 }
            assertEquals(name, emptyList<String>(), outside.map { "${it.label} ${it.bounds}" })
        }
    }

    /** Letters are missing, or lie beyond what is drawn of the button. */
    private fun Screen.Touchable.isCut() = layouts.any { text ->
        val last = text.lineCount - 1
        text.isLineEllipsized(last) || text.getLineEnd(last) < text.layoutInput.text.length ||
            text.size.width > bounds.width || text.size.height > bounds.height
    }

    @Test
    fun germanIsSpoken() {
        RuntimeEnvironment.setQualifiers("+de")
        val spoken = mutableSetOf<String>()
        everywhere { _, screen -> spoken += screen.texts }
        val english = listOf("Make a digest", "Start", "Add a model", "Make a report", "Settings", "Delete everything")
        assertEquals(emptyList<String>(), english.filter { it in spoken })
        assertTrue("$spoken", "Überblick machen" in spoken && "Bericht machen" in spoken)
    }
}

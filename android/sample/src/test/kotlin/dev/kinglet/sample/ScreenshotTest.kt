package dev.kinglet.sample

import android.content.Intent
import androidx.activity.ComponentActivity
import androidx.activity.compose.setContent
import androidx.compose.runtime.Composable
import androidx.compose.runtime.CompositionLocalProvider
import dev.kinglet.sample.text.TextActivity
import dev.kinglet.sample.ui.KingletTheme
import dev.kinglet.sample.ui.LocalDynamicColor
import dev.kinglet.sample.ui.Place
import kotlinx.coroutines.channels.Channel
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Before
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.annotation.Config
import org.robolectric.annotation.GraphicsMode
import java.util.TimeZone

/** Every screen by day and by night, on a phone and on a tablet, as it was when somebody last looked at the pictures. */
@RunWith(RobolectricTestRunner::class)
@GraphicsMode(GraphicsMode.Mode.NATIVE)
@Config(application = TestApp::class)
class ScreenshotTest {
    private val app get() = TestApp.now

    @Before
    fun utc() = TimeZone.setDefault(TimeZone.getTimeZone("UTC"))

    private fun waiting() = Sample.test {
        Sample.agree()
        app.parts.preferences.change {
            it.copy(apps = Believable.apps, muted = setOf("org.example.shop"), schedule = Schedule.EVERY_3_HOURS)
        }
        Believable.notifications.forEachIndexed { at, it -> app.inbox.add("$at", it) }
    }

    private fun digested() = Sample.test {
        waiting()
        app.inbox.digest(Believable.DIGEST)
        app.inbox.add("new", Believable.notifications[0])
        app.inbox.add("newer", Believable.notifications[1])
    }

    private fun screen(name: String, place: Place = Place.DIGEST, prepare: (Screen) -> Unit) = pictures(name) { file ->
        val activity = Sample.open()
        activity.get().show { activity.get().App() }
        val screen = Screen { activity.get() }
        if (place != Place.DIGEST) screen.touch(app.getString(place.label))
        prepare(screen)
        compare(activity.get(), file)
        activity.pause().stop().destroy()
    }

    private fun pictures(name: String, picture: (String) -> Unit) {
        for ((kind, size) in listOf("phone" to "w411dp-h891dp", "tablet" to "w1280dp-h800dp-land")) {
            for (time in listOf("notnight", "night")) {
                RuntimeEnvironment.setQualifiers("$size-$time-mdpi")
                app.parts.preferences.change { it.copy(read = 0) }
                picture("$name-$kind-${if (time == "night") "night" else "day"}")
            }
        }
    }

    /** In the app's own colours, whatever the system's are. */
    private fun ComponentActivity.show(content: @Composable () -> Unit) = setContent {
        CompositionLocalProvider(LocalDynamicColor provides false) { KingletTheme(content = content) }
    }

    private fun compare(activity: ComponentActivity, name: String) {
        // Movements end.
        Screen.turn(300)
        val picture = Picture(activity, name)
        assertTrue("$name is empty", picture.colours > 20)
        assertEquals(null, picture.difference())
    }

    @Test
    fun consent() = screen("consent") { it.untilThere("Agree and continue") }

    @Test
    fun digest() {
        digested()
        screen("digest") { it.untilThere("Earlier digests") }
    }

    @Test
    fun streaming() {
        waiting()
        screen("streaming") {
            app.assistant.pieces = Channel<String>(Channel.UNLIMITED).apply { trySend(Believable.DIGEST.take(76)) }
            it.touch("Make a digest")
            it.untilThere("Your parcel")
        }
    }

    @Test
    fun why() {
        digested()
        screen("why") {
            it.touch(Believable.DIGEST)
            it.untilThere("Made of these notifications")
        }
    }

    @Test
    fun settings() {
        digested()
        screen("settings") {
            it.touch("Settings")
            it.untilThere("Apps in the digest")
        }
    }

    @Test
    fun text() = screen("text", Place.TEXT) {
        it.type("Your text", Believable.TEXT)
        it.touch("Start")
        it.untilThere(Believable.SUMMARY)
    }

    @Test
    fun window() = pictures("window") { file ->
        val intent = Intent(Intent.ACTION_PROCESS_TEXT).putExtra(Intent.EXTRA_PROCESS_TEXT, Believable.TEXT)
        val activity = Sample.open(TextActivity::class.java, intent)
        activity.get().show { activity.get().Window() }
        val screen = Screen { activity.get() }
        screen.touch("Rewrite")
        screen.touch("Start")
        screen.untilThere(Believable.SUMMARY)
        compare(activity.get(), file)
        activity.pause().stop().destroy()
    }

    @Test
    fun models() = screen("models", Place.MODELS) { it.untilThere("Fits in memory") }

    @Test
    fun unfit() = screen("unfit", Place.MODELS) {
        it.touch("Details: qwen3-1.7b-q4_k_m")
        it.untilThere("Why it does not fit")
    }

    @Test
    fun diagnose() = screen("diagnose", Place.DIAGNOSE) {
        it.touch("Check")
        it.untilThere("Some kernels were wrong")
        it.touch("zeros@blk.0.ffn_down")
        it.touch("Make a report")
        it.untilThere("Wrong from")
    }
}

package dev.kinglet.sample

import dev.kinglet.EngineState
import dev.kinglet.KingletException
import dev.kinglet.SummaryStyle
import dev.kinglet.done
import dev.kinglet.sample.engine.Assistant
import dev.kinglet.sample.engine.NoModelException
import dev.kinglet.sample.engine.OpenModel
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.cancel
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.onEach
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertNotSame
import org.junit.Assert.assertSame
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.annotation.Config
import org.robolectric.util.ReflectionHelpers
import kotlin.time.Duration.Companion.milliseconds

/** Screens and the real engine, with a small model that says nothing sensible. */
@RunWith(RobolectricTestRunner::class)
@Config(application = RealApp::class, qualifiers = "w411dp-h891dp-mdpi")
class EngineTest {
    private val app get() = RealApp.now

    /** Real answers, a piece in a frame: a small model has answered before a busy machine draws anything. */
    private class Unhurried(private val assistant: Assistant) : Assistant by assistant {
        override fun summarize(text: String, style: SummaryStyle) = assistant.summarize(text, style).onEach { delay(16.milliseconds) }
    }

    private fun withoutHurry() = app.parts.let { ReflectionHelpers.setField(it, "assistant", Unhurried(it.assistant)) }

    @Test
    fun textAppearsPieceByPiece() {
        app.use(Sample.tiny())
        withoutHurry()
        val activity = Sample.open()
        val screen = Screen { activity.get() }.apply { touch("Text") }
        screen.type("Your text", "The ferry leaves at seven.")
        screen.touch("Start")
        val lengths = sortedSetOf<Int>()
        screen.until("no end") {
            if (screen.canTouch("Stop")) lengths += screen.texts.sumOf { it.length }
            screen.canTouch("Copy")
        }
        assertTrue("$lengths", lengths.size > 3)
        assertTrue("${screen.texts}", screen.has("on the CPU"))
    }

    @Test
    fun leavingStopsTheEngine() {
        app.use(Sample.tiny())
        withoutHurry()
        val activity = Sample.open()
        val screen = Screen { activity.get() }.apply { touch("Text") }
        screen.type("Your text", Believable.TEXT)
        screen.touch("Start")
        screen.until("it does not begin") { screen.canTouch("Stop") }
        screen.touch("Models")
        screen.touch("Text")
        screen.until("it goes on") { !screen.canTouch("Stop") && screen.isEnabled("Start") }
        assertFalse("it has come to its end: ${screen.texts}", screen.has("on the CPU"))
    }

    @Test
    fun theGpuIsCheckedAndAFaultInItIsFound() {
        app.use(Sample.tiny())
        val activity = Sample.open()
        val screen = Screen { activity.get() }.apply { touch("Diagnose") }
        screen.touch("Check")
        screen.untilThere("It computes what the processor computes")
        screen.touch("zeros@blk.0.ffn_down")
        screen.touch("Make a report")
        screen.untilThere("Wrong from blk.0.ffn_down on: zeros")
        val report = checkNotNull(app.parts.reports.last()).readText()
        assertTrue(report.take(200), report.startsWith("<!doctype html>") && "blk.0.ffn_down" in report)
    }

    @Test
    fun oneModelForAllAndAnotherWhenItIsChosen() = Sample.test {
        app.use(Sample.tiny())
        val scope = CoroutineScope(Dispatchers.Default)
        val models = app.parts.models
        val open = OpenModel(app, models, scope, Sample.cpu)
        val first = open.get()
        assertSame(first, open.get())
        Sample.data("tiny/tiny-qwen3-q4_0.gguf").let { models.import(android.net.Uri.fromFile(it)).collect { } }
        assertSame(first, open.get())
        models.choose(models.all.value.first { it.name.startsWith("tiny-qwen3") })
        first.state.first { it == EngineState.CLOSED }
        val second = open.get()
        assertNotSame(first, second)
        assertEquals("qwen3", second.info.architecture)
        open.release()
        assertEquals(EngineState.CLOSED, second.state.value)
        scope.cancel()
    }

    @Test
    fun withoutAModelItSaysSo() = Sample.test {
        val error = runCatching { app.parts.assistant.summarize("a", SummaryStyle.SENTENCE).done() }.exceptionOrNull()
        assertTrue("$error", error is NoModelException)
    }

    @Test
    fun everyTaskReachesTheSdk() = Sample.test {
        app.use(Sample.tiny())
        val assistant = app.parts.assistant
        assertEquals(setOf("a", "b"), assistant.classify("A short text.", listOf("a", "b")).keys)
        assertEquals(setOf("who"), assistant.extract("A short text.", listOf("who")).keys)
        val reply = runCatching { assistant.reply("Shall we meet?") }
        // A random model may fail to find three different answers, and then says so.
        assertTrue("$reply", reply.getOrNull()?.size == 3 || reply.exceptionOrNull() is KingletException)
    }
}

package dev.kinglet

import dev.kinglet.Fixture.testWith
import dev.kinglet.Fixture.tokens
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.flow.collect
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.onEach
import kotlinx.coroutines.flow.take
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.launch
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner

@RunWith(RobolectricTestRunner::class)
class StreamTest {
    @Test
    fun textArrivesPieceByPieceAndEndsOnce() = testWith { kinglet ->
        val events = kinglet.session().generate("One, two,", tokens(30)).toList()
        val done = events.last() as Event.Done
        assertEquals(1, events.count { it is Event.Done })
        assertEquals(done.text, events.filterIsInstance<Event.Text>().joinToString("") { it.text })
        assertTrue("only ${events.size} events", events.size > 5)
        assertEquals(30, done.stats.tokens)
        assertEquals(StopReason.MAX_TOKENS, done.stats.stop)
        assertEquals("cpu", done.stats.device)
    }

    @Test
    fun eachCollectorBeginsAnew() = testWith { kinglet ->
        val flow = kinglet.summarize("The ferry leaves at seven.", sampling = tokens(8))
        assertEquals(EngineState.IDLE, kinglet.state.value)
        assertEquals(flow.done().text, flow.done().text)
    }

    @Test
    fun aCollectorThatIsCancelledStopsTheCore() = testWith { kinglet ->
        val session = kinglet.session()
        val all = kinglet.context - 8
        val begun = kotlinx.coroutines.CompletableDeferred<Unit>()
        val reader = launch { session.generate("a", tokens(all)).onEach { begun.complete(Unit) }.collect() }
        begun.await()
        reader.cancelAndJoin()
        assertEquals(EngineState.IDLE, kinglet.state.value)
        // Were it not stopped it would wait for its reader for ever, or have generated all.
        session.generate("b", tokens(1)).done()
        assertTrue("${session.position()} of $all", session.position() < all)
    }

    @Test
    fun aCollectorThatHasEnoughStopsTheCore() = testWith { kinglet ->
        val session = kinglet.session()
        val all = kinglet.context - 8
        assertEquals(2, session.generate("a", tokens(all)).take(2).toList().size)
        session.generate("b", tokens(1)).done()
        assertTrue("${session.position()} of $all", session.position() < all)
    }

    @Test
    fun aCollectorThatFailsStopsTheCore() = testWith { kinglet ->
        val session = kinglet.session()
        val failed = runCatching { session.generate("a", tokens(kinglet.context - 8)).collect { error("mine") } }
        assertEquals("mine", failed.exceptionOrNull()?.message)
        assertEquals(3, session.generate("b", tokens(3)).done().stats.tokens)
    }

    @Test
    fun aHundredCancelsLeaveItWorking() = testWith { kinglet ->
        repeat(100) { round ->
            val session = kinglet.session()
            val reader = launch { session.generate("a", tokens(kinglet.context - 8)).collect() }
            if (round % 2 == 0) kinglet.state.first { it == EngineState.WORKING }
            reader.cancelAndJoin()
            assertTrue(reader.isCancelled)
            session.close()
        }
        assertEquals(5, kinglet.session().generate("a", tokens(5)).done().stats.tokens)
        assertEquals(EngineState.IDLE, kinglet.state.value)
    }

    @Test
    fun sessionsTakeTurnsAndDoNotMix() = testWith { kinglet ->
        val prompts = listOf("One, two,", "The ferry")
        val alone = prompts.map { kinglet.session().generate(it, tokens(40)).done().text }
        val together = prompts.map { prompt -> async { kinglet.session().generate(prompt, tokens(40)).done().text } }
        assertEquals(alone, together.awaitAll())
    }

    @Test
    fun aReaderThatIsSlowGetsAll() = testWith { kinglet ->
        val texts = StringBuilder()
        kinglet.session().generate("a", tokens(100)).collect {
            if (it is Event.Text) texts.append(it.text)
            kotlinx.coroutines.delay(1)
            if (it is Event.Done) assertEquals(it.text, texts.toString())
        }
        assertTrue(texts.isNotEmpty())
    }

    @Test
    fun textIsTheAnswerAsItGrows() = testWith { kinglet ->
        val flow = kinglet.session().generate("One, two,", tokens(20))
        val texts = flow.text().toList()
        assertTrue(texts.zipWithNext().all { (before, after) -> after.startsWith(before) })
        assertEquals(kinglet.session().generate("One, two,", tokens(20)).done().text, texts.last())
    }

    @Test
    fun aCancelledValueIsCancelled() = testWith { kinglet ->
        // Whole it takes longer than this test may.
        val long = "The ferry leaves at seven. ".repeat(40_000)
        val call = async { kinglet.extract(long, listOf("time")) }
        kinglet.state.first { it == EngineState.WORKING }
        call.cancelAndJoin()
        assertTrue(runCatching { call.await() }.exceptionOrNull() is CancellationException)
        assertEquals(1, kinglet.session().generate("a", tokens(1)).done().stats.tokens)
    }
}

package dev.kinglet

import dev.kinglet.Fixture.test
import dev.kinglet.Fixture.testWith
import dev.kinglet.Fixture.tokens
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.onEach
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext
import kotlinx.coroutines.yield
import org.junit.Assert.assertEquals
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import java.io.File

@RunWith(RobolectricTestRunner::class)
class LifecycleTest {
    @Test
    fun loadTellsItsProgressAndThenTheModel() = test {
        val states = Kinglet.load(Fixture.context, Fixture.tiny(), Fixture.cpu).toList()
        assertEquals(LoadState.Loading(0f, LoadStep.OPENING), states.first())
        val ready = states.last() as LoadState.Ready
        assertTrue(states.dropLast(1).all { it is LoadState.Loading && it.fraction in 0f..1f })
        ready.kinglet.use { assertEquals("llama", it.info.architecture) }
    }

    @Test
    fun aLoadThatIsLeftEndsSoon() = test {
        repeat(20) {
            val first = Kinglet.load(Fixture.context, Fixture.tiny(), Fixture.cpu).first()
            assertTrue("$first", first is LoadState.Loading)
            launch { Kinglet.open(Fixture.context, Fixture.tiny(), Fixture.cpu) }.apply { yield() }.cancelAndJoin()
        }
        Kinglet.open(Fixture.context, Fixture.tiny(), Fixture.cpu).close()
    }

    @Test
    fun closeEndsWhatRunsAndMayBeRepeated() = test {
        val kinglet = Kinglet.open(Fixture.context, Fixture.tiny(), Fixture.cpu)
        val (running, waiting) = kinglet.session() to kinglet.session()
        val begun = CompletableDeferred<Unit>()
        val all = kinglet.context - 8
        val first = async(Dispatchers.Default) {
            runCatching { running.generate("a", tokens(all)).onEach { begun.complete(Unit) }.done() }
        }
        begun.await()
        val second = async(Dispatchers.Default) { runCatching { waiting.generate("b", tokens(all)).done() } }
        withContext(Dispatchers.IO) { List(3) { async { kinglet.close() } }.awaitAll() }
        kinglet.close()
        assertEquals(EngineState.CLOSED, kinglet.state.value)
        val done = first.await()
        assertTrue("$done", done.getOrNull()?.stats?.stop == StopReason.CANCELLED || done.exceptionOrNull() is KingletException)
        assertTrue("${second.await()}", second.await().exceptionOrNull() is KingletException)
    }

    @Test
    fun everyCallAfterCloseSaysSo() = test {
        val kinglet = Kinglet.open(Fixture.context, Fixture.tiny(), Fixture.cpu)
        val session = kinglet.session()
        kinglet.close()
        val calls = listOf<suspend () -> Unit>(
            { kinglet.summarize("text").done() },
            { kinglet.rewrite("text", Tone.Formal).done() },
            { kinglet.digest(listOf(NotificationText("Mail", "Anna", "Hello"))).done() },
            { kinglet.reply("text") },
            { kinglet.classify("text", listOf("a", "b")) },
            { kinglet.extract("text", listOf("name")) },
            { kinglet.session() },
            { kinglet.countTokens("text") },
            { kinglet.device() },
            { kinglet.suspendGpu() },
            { session.generate("text").done() },
            { session.respond(listOf(Message(Role.USER, "text"))).done() },
            { session.save(File("never")) },
            { session.fork() },
        )
        calls.forEachIndexed { index, call ->
            val error = runCatching { call() }.exceptionOrNull()
            assertTrue("call $index: $error", error is KingletException.Closed)
            assertEquals("the engine was shut down; load the model again", error?.message)
        }
        assertEquals(EngineState.CLOSED, kinglet.state.value)
    }

    @Test
    fun aClosedSessionSaysSoAndOthersWork() = testWith { kinglet ->
        val session = kinglet.session()
        session.close()
        session.close()
        for (call in listOf<suspend () -> Unit>({ session.generate("a").done() }, { session.reset() }, { session.position() })) {
            val error = runCatching { call() }.exceptionOrNull()
            assertTrue("$error", error is KingletException.Closed && "session" in error.message.orEmpty())
        }
        assertEquals(2, kinglet.session().generate("a", tokens(2)).done().stats.tokens)
    }

    @Test
    fun aSavedSessionGoesOnAsTheOneThatWasKept() = testWith { kinglet ->
        val file = File(Fixture.context.filesDir, "session")
        val kept = kinglet.session()
        kept.generate("One, two,", tokens(10)).done()
        kept.save(file)
        val (fork, restored) = kept.fork() to kinglet.restore(file)
        assertEquals(kept.position(), restored.position())
        val texts = listOf(kept, fork, restored).map { it.generate(" and", tokens(10)).done().text }
        assertEquals(1, texts.toSet().size)
        restored.truncate(3)
        assertEquals(3, restored.position())
        restored.reset()
        assertEquals(0, restored.position())
    }

    @Test
    fun itWorksOnTheMainThreadToo() = testWith { kinglet ->
        // Robolectric runs tests on Android's main thread.
        assertEquals(android.os.Looper.getMainLooper(), android.os.Looper.myLooper())
        assertTrue(kinglet.countTokens("One, two") > 0)
        assertThrows(IllegalArgumentException::class.java) { kotlinx.coroutines.runBlocking { kinglet.session().truncate(-1) } }
    }

    @Test
    fun aModelThatIsReplacedOnDiskStaysTheOneThatWasOpened() = test {
        val file = File(Fixture.context.filesDir, "model.gguf")
        Fixture.tiny().file.copyTo(file)
        Kinglet.open(Fixture.context, ModelFile(file), Fixture.cpu).use { kinglet ->
            val before = kinglet.session().generate("One, two", tokens(10)).done().text
            val other = File(Fixture.context.filesDir, "other.gguf")
            Fixture.data("tiny/tiny-qwen3-q4_0.gguf").copyTo(other)
            assertTrue(other.renameTo(file))
            assertEquals(before, kinglet.session().generate("One, two", tokens(10)).done().text)
            assertEquals("llama", kinglet.info.architecture)
        }
        Kinglet.open(Fixture.context, ModelFile(file), Fixture.cpu).use { assertEquals("qwen3", it.info.architecture) }
    }

    @Test
    fun aModelThatIsDeletedStaysTheOneThatWasOpened() = test {
        val file = File(Fixture.context.filesDir, "model.gguf")
        Fixture.tiny().file.copyTo(file)
        Kinglet.open(Fixture.context, ModelFile(file), Fixture.cpu).use { kinglet ->
            assertTrue(file.delete())
            assertEquals(4, kinglet.session().generate("One, two", tokens(4)).done().stats.tokens)
        }
    }
}

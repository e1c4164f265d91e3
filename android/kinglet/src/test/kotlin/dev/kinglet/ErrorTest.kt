package dev.kinglet

import dev.kinglet.Fixture.test
import dev.kinglet.Fixture.testWith
import kotlinx.coroutines.flow.collect
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import java.io.File

@RunWith(RobolectricTestRunner::class)
class ErrorTest {
    private suspend fun failure(model: ModelFile, options: KingletOptions = Fixture.cpu): Throwable? {
        val opened = runCatching { Kinglet.open(Fixture.context, model, options).close() }.exceptionOrNull()
        val loaded = runCatching { Kinglet.load(Fixture.context, model, options).collect() }.exceptionOrNull()
        assertEquals(opened?.javaClass, loaded?.javaClass)
        assertEquals(opened?.message, loaded?.message)
        return opened
    }

    @Test
    fun aMissingFileIsNamed() = test {
        val error = failure(ModelFile(File("/no/such/model.gguf")))
        assertTrue("$error", error is KingletException.Io)
        assertTrue("$error", error?.message.orEmpty().startsWith("cannot read /no/such/model.gguf: No such file"))
    }

    @Test
    fun brokenFilesAreRefused() = test {
        val whole = Fixture.tiny().file.readBytes()
        val broken = File(Fixture.context.cacheDir, "broken.gguf")
        for (bytes in listOf(ByteArray(0), "no model".toByteArray(), whole.copyOf(whole.size / 2), ByteArray(100) + whole)) {
            broken.writeBytes(bytes)
            val error = failure(ModelFile(broken))
            assertTrue("${bytes.size} bytes: $error", error is KingletException)
            assertTrue("$error", error?.message.orEmpty().isNotEmpty())
        }
    }

    @Test
    fun optionsAreNamed() = test {
        val error = failure(Fixture.tiny(), Fixture.cpu.copy(context = 1_000_000_000))
        assertTrue("$error", error is KingletException.Option)
        assertTrue("$error", Regex("option context: is 1000000000; give 1 to \\d+").matches(error?.message.orEmpty()))
        assertTrue(failure(Fixture.tiny(), Fixture.cpu.copy(threads = -1)) is IllegalArgumentException)
    }

    @Test
    fun aStreamFailsWithTheCoresWords() = testWith { kinglet ->
        val events = mutableListOf<Event>()
        val error = runCatching {
            kinglet.session().generate("a", Sampling(temperature = Float.NaN)).collect { events += it }
        }.exceptionOrNull()
        assertTrue("$error", error is KingletException.Option)
        assertTrue("$error", "option temperature: is NaN; give 0" in error?.message.orEmpty())
        assertEquals(emptyList<Event>(), events)
        assertEquals(EngineState.IDLE, kinglet.state.value)
    }
}

package dev.kinglet

import dev.kinglet.Fixture.test
import dev.kinglet.Fixture.testWith
import kotlinx.coroutines.async
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.delay
import org.junit.Assert.assertEquals
import org.junit.Assert.assertNotNull
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import java.io.File
import kotlin.time.Duration.Companion.milliseconds

/** What an engine tells of itself, of files and of GPUs. */
@RunWith(RobolectricTestRunner::class)
class ReportTest {
    private val short = Diagnosis(tokens = 2)

    @Test
    fun aBenchmarkMeasuresEachRun() = testWith { kinglet ->
        val found = kinglet.benchmark(prefill = 32, decode = 8, repeat = 3)
        assertEquals(listOf(3, 3), listOf(found.promptSamples.size, found.samples.size))
        assertTrue("$found", found.promptTokensPerSecond in found.promptSamples && found.tokensPerSecond in found.samples)
        assertTrue("$found", found.samples.all { it > 0 })
        val error = runCatching { kinglet.benchmark(decode = 0) }.exceptionOrNull()
        assertTrue("$error", error is KingletException.Option)
    }

    @Test
    fun aFileIsInspectedWithoutBeingLoaded() = testWith { kinglet ->
        assertEquals(kinglet.info, Kinglet.inspect(Fixture.tiny()))
        val error = runCatching { Kinglet.inspect(ModelFile(File("no/such/file"))) }.exceptionOrNull()
        assertTrue("$error", error is KingletException.Io && "no/such/file" in error.message.orEmpty())
    }

    @Test
    fun gpusAreListed() = test {
        val gpus = Kinglet.gpus()
        assertTrue("no Vulkan driver; Debian's mesa-vulkan-drivers has one", gpus.any { it.usable })
        assertTrue("$gpus", gpus.all { it.name.isNotEmpty() && it.tier in 0..2 && (it.auto || it.reason != null) })
    }

    @Test
    fun aRightGpuIsFoundRight() = test {
        val told = mutableListOf<Float>()
        val found = Kinglet.diagnose(Fixture.context, Fixture.tiny(), "a secret prompt", request = short, progress = told::add)
        // A node that is right may still be blamed for its time, which a busy machine decides.
        assertTrue("${found.verdict} ${found.kindOfFault}", found.kindOfFault == null || found.kindOfFault == "slow")
        assertTrue("${found.nodes}", found.nodes > 10)
        assertTrue("$told", told.all { it in 0f..1f })
        assertTrue("secret" !in found.json && "secret" !in found.html)
    }

    @Test
    fun aFaultIsFoundAndShown() = test {
        val request = short.copy(fault = "zeros@blk.1.ffn_down")
        val found = Kinglet.diagnose(Fixture.context, Fixture.tiny(), "One, two", request = request)
        assertEquals(Verdict.BROKEN, found.verdict)
        assertEquals("blk.1.ffn_down" to "zeros", found.firstBad to found.kindOfFault)
        assertNotNull(found.kernel)
        assertTrue(found.html.startsWith("<!doctype html>") && "blk.1.ffn_down" in found.html)
        assertTrue("http://" !in found.html && "https://" !in found.html)
    }

    @Test
    fun aFaultThatIsNoneIsRefused() = test {
        val request = short.copy(fault = "nonsense")
        val error = runCatching { Kinglet.diagnose(Fixture.context, Fixture.tiny(), "a", request = request) }.exceptionOrNull()
        assertTrue("$error", error is KingletException.Option && "inject" in error.message.orEmpty())
    }

    @Test
    fun aGpuIsQualifiedOnce() = test {
        val first = Kinglet.qualify(Fixture.context, Fixture.tiny())
        assertEquals(Fitness.GOOD to false, first.fitness to first.cached)
        assertTrue("${first.runs}", first.runs > 0 && first.adapter in first.json)
        val again = Kinglet.qualify(Fixture.context, Fixture.tiny())
        assertEquals(Fitness.GOOD to true, again.fitness to again.cached)
    }

    @Test
    fun aDiagnosisCanBeCancelled() = test {
        val job = async { Kinglet.diagnose(Fixture.context, Fixture.tiny(), "a ".repeat(500), request = Diagnosis(tokens = 200)) }
        delay(200.milliseconds)
        val started = System.nanoTime()
        job.cancelAndJoin()
        assertTrue((System.nanoTime() - started) / 1_000_000 < 10_000)
    }

    @Test
    fun idsAreTextAndBack() = testWith { kinglet ->
        val ids = kinglet.tokenize("One, two, three")
        assertEquals(kinglet.countTokens("One, two, three"), ids.size)
        assertEquals("One, two, three", kinglet.detokenize(ids).trim())
        val done = kinglet.session().generateFromTokens(ids, Fixture.tokens(4)).done()
        assertEquals(ids.size to 4, done.stats.promptTokens to done.stats.tokens)
        val error = runCatching { kinglet.session().generateFromTokens(listOf(Int.MAX_VALUE)).done() }.exceptionOrNull()
        assertTrue("$error", error is KingletException.TokenId)
    }

    @Test
    fun presetsAreTheCores() {
        assertEquals(Sampling(), Sampling.of(SamplingPreset.STANDARD))
        assertEquals(0f, Sampling.of(SamplingPreset.GREEDY).temperature)
        assertEquals(Int.MAX_VALUE, Sampling.of(SamplingPreset.FAITHFUL).maxTokens)
        assertTrue(Sampling.of(SamplingPreset.VARIED).temperature > Sampling().temperature)
    }

    @Test
    fun aBiasChoosesTheToken() = testWith { kinglet ->
        val id = kinglet.tokenize("three").last()
        val sampling = Fixture.tokens(3).copy(logitBias = mapOf(id to 1000f))
        assertEquals(kinglet.detokenize(List(3) { id }), kinglet.session().generate("One", sampling).done().text)
        val penalised = sampling.copy(presencePenalty = 2000f)
        assertTrue(kinglet.session().generate("One", penalised).done().text != kinglet.detokenize(List(3) { id }))
    }

    @Test
    fun theVersionIsANumber() {
        assertTrue(Kinglet.version, Regex("\\d+\\.\\d+\\.\\d+.*").matches(Kinglet.version))
        Kinglet.log(LogLevel.WARN)
    }
}

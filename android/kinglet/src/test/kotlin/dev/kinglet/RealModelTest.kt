package dev.kinglet

import dev.kinglet.Fixture.testWith
import kotlinx.coroutines.flow.filterIsInstance
import kotlinx.coroutines.flow.take
import kotlinx.coroutines.flow.toList
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import java.io.File
import kotlin.time.Duration.Companion.minutes

/** SmolLM2, a real model. */
@RunWith(RobolectricTestRunner::class)
class RealModelTest {
    private val options = Fixture.cpu.copy(threads = 2, context = 1024)

    @Test
    fun itAnswers() = testWith(Fixture.smollm2(), options) { kinglet ->
        val question = listOf(Message(Role.USER, "What is the capital of France?"))
        val done = kinglet.session().respond(question, Sampling.GREEDY.copy(maxTokens = 24)).done()
        assertTrue(done.text, "Paris" in done.text)
        assertEquals(kinglet.countTokens(question), done.stats.promptTokens)
    }

    @Test
    fun itSummarisesAndExtracts() = testWith(Fixture.smollm2(), options) { kinglet ->
        val text = "The ferry to the island leaves at seven in the morning. Tickets cost four euros and are sold on board."
        val summary = kinglet.summarize(text).done()
        assertTrue(summary.text, summary.text.isNotEmpty())
        val price = kinglet.extract(text, listOf("price")).fields.getValue("price")
        assertTrue("$price", price == null || price in text)
    }

    @Test
    fun emojiAreStreamedWhole() = testWith(Fixture.smollm2(), options) { kinglet ->
        val events = kinglet.session().generate("😀😂😀😂😀😂😀😂😀😂", Sampling.GREEDY.copy(maxTokens = 40)).toList()
        val texts = events.filterIsInstance<Event.Text>().map { it.text }
        texts.forEach(Fixture::assertWhole)
        assertTrue("$texts", texts.any { "😀" in it || "😂" in it })
    }

    @Test
    fun chineseAndArabicAreStreamedWhole() = testWith(Fixture.smollm2(), options) { kinglet ->
        for (text in listOf("你好世界你好世界你好世界你好", "مرحبا بالعالم مرحبا بالعالم مرحبا", "नमस्ते दुनिया नमस्ते दुनिया नमस्ते")) {
            kinglet.session().use { session ->
                val events = session.generate(text, Sampling.GREEDY.copy(maxTokens = 30)).toList()
                val texts = events.filterIsInstance<Event.Text>().map { it.text }
                texts.forEach(Fixture::assertWhole)
                assertEquals((events.last() as Event.Done).text, texts.joinToString(""))
            }
        }
    }

    @Test
    fun theInstructionsOfADigestAreComputedOnce() = testWith(Fixture.smollm2(), options) { kinglet ->
        val summarizer = Summarizer(kinglet)
        val (first, second) = listOf("meeting", "lunch").map { what ->
            val texts = List(4) { "The $what of group $it moved to room 1$it, because the lamps of the old room are being replaced." }
            summarizer.digest(texts.map { NotificationText("Mail", "Anna", it) }).done()
        }
        assertEquals(0, first.stats.cachedTokens)
        assertTrue("${second.stats}", second.stats.cachedTokens >= 10)
    }

    @Test
    fun aHundredCancelsStopWithinASubmissionEach() = testWith(Fixture.smollm2(), options, 5.minutes) { kinglet ->
        // One token is one submission. Those that the core had computed before the collector left are in its queue of 64.
        val ahead = List(100) { round ->
            kinglet.session().use { session ->
                val read = 1 + round % 3
                session.generate("Once upon a time", Fixture.tokens(900)).filterIsInstance<Event.Text>().take(read).collect { }
                val prompt = kinglet.countTokens("Once upon a time")
                // The next call of the session has its turn when the last has ended.
                session.truncate(Int.MAX_VALUE)
                session.position() - prompt - read
            }
        }
        // The last token that was read need not be fed: stopped at once, the session holds one less than was read.
        println("tokens fed after the last that was read: worst ${ahead.max()}, median ${ahead.sorted()[50]}")
        assertTrue("$ahead", ahead.sorted()[50] <= 1 && ahead.max() <= 64)
        assertEquals(3, kinglet.session().generate("a", Fixture.tokens(3)).done().stats.tokens)
    }

    @Test
    fun twoHundredShortJobsTakeNoMemory() = testWith(Fixture.smollm2(), options, 5.minutes) { kinglet ->
        val resident = List(200) { round ->
            kinglet.summarize("Message $round: the ferry leaves at ${round % 12}.", sampling = Fixture.tokens(2)).done()
            if (round % 10 == 9) System.gc()
            residentBytes()
        }
        // The first half fills the JVM's and the allocator's own stores.
        val slope = slope(resident.drop(100).map { it.toDouble() })
        println(
            "resident after 100 jobs ${resident[99] / 1_000_000} MB, after 200 ${resident[199] / 1_000_000} MB, slope ${slope / 1e6} MB a job",
        )
        assertTrue("$slope bytes a job", slope < 100_000)
    }

    private fun residentBytes() = File("/proc/self/statm").readText().split(" ")[1].toLong() * 4096

    /** Of the straight line through the values, by least squares. */
    private fun slope(values: List<Double>): Double {
        val (meanX, meanY) = (values.size - 1) / 2.0 to values.average()
        val above = values.withIndex().sumOf { (x, y) -> (x - meanX) * (y - meanY) }
        return above / values.indices.sumOf { (it - meanX) * (it - meanX) }
    }
}

package dev.kinglet

import dev.kinglet.Fixture.testWith
import kotlinx.coroutines.flow.toList
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner

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
}

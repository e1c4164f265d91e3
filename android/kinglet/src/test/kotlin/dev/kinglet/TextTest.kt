package dev.kinglet

import dev.kinglet.Fixture.assertWhole
import dev.kinglet.Fixture.testWith
import kotlinx.coroutines.flow.flowOf
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.runBlocking
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner

@RunWith(RobolectricTestRunner::class)
class TextTest {
    private val stats = Stats(1, 0, 1, null, null, null, "cpu", StopReason.END_OF_TEXT)

    @Test
    fun otherScriptsArriveAsTheyWere() = testWith { kinglet ->
        val words = listOf("👩‍👩‍👧‍👦 family", "猫が好き", "مرحبا بالعالم", "🇪🇺", "e\u0301", "a\u0000b")
        val found = kinglet.classify(words.joinToString(" "), words)
        assertEquals(words, found.probabilities.keys.toList())
        assertTrue(found.label in words)
        assertEquals(1.0, found.probabilities.values.sum(), 1e-6)
        val groups = kinglet.digest(words.map { NotificationText(it, it, it) }, Fixture.tokens(3)).done().groups
        assertEquals(words.sorted(), groups.map { it.app }.sorted())
    }

    @Test
    fun noEventHoldsHalfACharacter() = testWith { kinglet ->
        // Hot sampling from random weights gives bytes of all kinds.
        for (seed in 0L until 10) {
            val sampling = Sampling(temperature = 20f, topK = 0, topP = 1f, minP = 0f, seed = seed, minTokens = 60, maxTokens = 60)
            val events = kinglet.session().generate("😀猫", sampling).toList()
            events.filterIsInstance<Event.Text>().forEach { assertWhole(it.text) }
            assertWhole((events.last() as Event.Done).text)
        }
    }

    @Test
    fun whatIsTakenBackGoesByWholeCharacters() {
        assertEquals("a", "a😀".takenBack(1))
        assertEquals("a", "a猫😀".takenBack(2))
        assertEquals("", "a😀".takenBack(7))
        assertEquals("a😀", "a😀".takenBack(0))
    }

    @Test
    fun theGrowingTextTakesBackWhatWasWrong() = runBlocking {
        val events = flowOf(
            Event.Text("a😀"),
            Event.TakeBack(1),
            Event.Switched("gpu", "cpu", "wrong"),
            Event.Text("b "),
            Event.Done("ab", emptyList(), stats),
        )
        assertEquals(listOf("a😀", "a", "ab ", "ab"), events.text().toList())
    }

    @Test
    fun emptyTextGivesAnEmptyResult() = testWith { kinglet ->
        val done = kinglet.summarize("").toList().single() as Event.Done
        assertEquals("" to null, done.text to done.stats.stop)
        assertEquals(null, kinglet.classify("", listOf("a", "b")).label)
        assertEquals(emptyList<String>(), kinglet.reply("").suggestions)
    }
}

package dev.kinglet

import android.app.ActivityManager
import android.app.Application
import android.content.ComponentCallbacks2
import dev.kinglet.Fixture.test
import dev.kinglet.Fixture.testWith
import dev.kinglet.Fixture.tokens
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.withTimeoutOrNull
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertNull
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.Shadows.shadowOf
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

/** A phone that is short of memory. */
@RunWith(RobolectricTestRunner::class)
@Suppress("DEPRECATION")
class MemoryTest {
    private val app get() = Fixture.context as Application
    private val levels = listOf(
        ComponentCallbacks2.TRIM_MEMORY_RUNNING_MODERATE,
        ComponentCallbacks2.TRIM_MEMORY_RUNNING_LOW,
        ComponentCallbacks2.TRIM_MEMORY_RUNNING_CRITICAL,
        ComponentCallbacks2.TRIM_MEMORY_UI_HIDDEN,
        ComponentCallbacks2.TRIM_MEMORY_BACKGROUND,
        ComponentCallbacks2.TRIM_MEMORY_MODERATE,
        ComponentCallbacks2.TRIM_MEMORY_COMPLETE,
    )

    private suspend fun Kinglet.becomes(state: EngineState) =
        withTimeoutOrNull(40.seconds) { this@becomes.state.first { it == state } } == state

    private fun free(bytes: Long) {
        val info = ActivityManager.MemoryInfo().apply {
            totalMem = 4_000_000_000
            threshold = 200_000_000
            availMem = threshold + bytes
        }
        shadowOf(app.getSystemService(ActivityManager::class.java)).setMemoryInfo(info)
    }

    @Test
    fun aModelNobodyUsesIsGivenBackAndLoadedAgain() = testWith { kinglet ->
        val before = kinglet.summarize("The ferry leaves at seven.").done().text
        app.onTrimMemory(ComponentCallbacks2.TRIM_MEMORY_COMPLETE)
        assertTrue(kinglet.becomes(EngineState.UNLOADED))
        assertEquals(before, kinglet.summarize("The ferry leaves at seven.").done().text)
        assertTrue(kinglet.becomes(EngineState.IDLE))
    }

    @Test
    fun onlyThreeLevelsTakeTheModel() = testWith { kinglet ->
        val expected = setOf(
            ComponentCallbacks2.TRIM_MEMORY_RUNNING_CRITICAL,
            ComponentCallbacks2.TRIM_MEMORY_MODERATE,
            ComponentCallbacks2.TRIM_MEMORY_COMPLETE,
        )
        for (level in levels) {
            kinglet.countTokens("a")
            app.onTrimMemory(level)
            if (level in expected) {
                assertTrue("$level", kinglet.becomes(EngineState.UNLOADED))
            } else {
                // What it does, it does elsewhere.
                delay(200.milliseconds)
                assertEquals("$level", EngineState.IDLE, kinglet.state.value)
            }
        }
    }

    @Test
    fun noLevelEndsAGeneration() = testWith { kinglet ->
        val session = kinglet.session()
        val alone = session.generate("One, two", tokens(40)).done().text
        session.reset()
        var texts = 0
        val done = kinglet.session().generate("One, two", tokens(40)).let { flow ->
            var last: Event.Done? = null
            flow.collect { event ->
                if (event is Event.Text) app.onTrimMemory(levels[texts++ % levels.size])
                if (event is Event.Done) last = event
            }
            checkNotNull(last)
        }
        assertTrue("$texts", texts > levels.size)
        assertEquals(alone, done.text)
    }

    @Test
    fun anOpenSessionKeepsTheModel() = testWith { kinglet ->
        val session = kinglet.session()
        session.generate("One, two", tokens(10)).done()
        val held = session.position()
        app.onTrimMemory(ComponentCallbacks2.TRIM_MEMORY_COMPLETE)
        delay(200.milliseconds)
        assertEquals(EngineState.IDLE, kinglet.state.value)
        assertEquals(held, session.position())
        session.close()
        session.close()
        app.onTrimMemory(ComponentCallbacks2.TRIM_MEMORY_COMPLETE)
        assertTrue(kinglet.becomes(EngineState.UNLOADED))
    }

    @Test
    fun onLowMemoryIsTheSame() = testWith { kinglet ->
        app.onLowMemory()
        assertTrue(kinglet.becomes(EngineState.UNLOADED))
    }

    @Test
    fun aModelThatWasGivenBackCanBeClosed() = test {
        val kinglet = Kinglet.open(Fixture.context, Fixture.tiny(), Fixture.cpu)
        app.onTrimMemory(ComponentCallbacks2.TRIM_MEMORY_COMPLETE)
        assertTrue(kinglet.becomes(EngineState.UNLOADED))
        kinglet.close()
        assertEquals(EngineState.CLOSED, kinglet.state.value)
        val error = runCatching { kinglet.countTokens("a") }.exceptionOrNull()
        assertTrue("$error", error is KingletException.Closed)
    }

    @Test
    fun whoDoesNotWantItKeepsTheModel() = testWith(options = Fixture.cpu.copy(manners = Manners(giveBackMemory = false))) { kinglet ->
        app.onTrimMemory(ComponentCallbacks2.TRIM_MEMORY_COMPLETE)
        delay(200.milliseconds)
        assertEquals(EngineState.IDLE, kinglet.state.value)
    }

    @Test
    fun aModelThatDoesNotFitIsRefusedBeforeItIsLoaded() = test {
        free(100)
        val states = mutableListOf<LoadState>()
        val error = runCatching { Kinglet.load(Fixture.context, Fixture.tiny(), Fixture.cpu).collect(states::add) }.exceptionOrNull()
        assertTrue("$error", error is KingletException.DoesNotFit)
        val words = error?.message.orEmpty()
        assertTrue(words, "needs" in words && "left" in words && "smaller" in words)
        assertTrue("$states", states.all { it is LoadState.Loading && it.what == LoadStep.OPENING })
        val asked = Fixture.cpu.copy(manners = Manners(planMemory = false))
        Kinglet.open(Fixture.context, Fixture.tiny(), asked).close()
    }

    @Test
    fun aFitSaysWhatIsNeededAndWhatIsLeft() = test {
        free(1_000_000_000)
        val fit = Kinglet.fit(Fixture.context, Fixture.tiny(), Fixture.cpu)
        assertTrue(fit.fits)
        assertNull(fit.reason)
        assertEquals(1_000_000_000, fit.available)
        assertEquals(fit.plan.total, fit.plan.weights + fit.plan.kv + fit.plan.scratch)
        free(fit.plan.total)
        assertTrue(Kinglet.fit(Fixture.context, Fixture.tiny(), Fixture.cpu).fits)
        free(fit.plan.total - 1)
        assertFalse(Kinglet.fit(Fixture.context, Fixture.tiny(), Fixture.cpu).fits)
        free(-1)
        assertEquals(0, Kinglet.fit(Fixture.context, Fixture.tiny(), Fixture.cpu).available)
    }

    @Test
    fun aSystemThatDoesNotTellRefusesNothing() = test {
        val fit = Kinglet.fit(Fixture.context, Fixture.tiny(), Fixture.cpu)
        assertTrue(fit.fits)
        assertEquals(Long.MAX_VALUE, fit.available)
    }

    @Test
    fun aModelGivenBackIsNotLoadedIntoMemoryThatIsGone() = testWith { kinglet ->
        app.onTrimMemory(ComponentCallbacks2.TRIM_MEMORY_COMPLETE)
        assertTrue(kinglet.becomes(EngineState.UNLOADED))
        free(100)
        assertThrows(KingletException.DoesNotFit::class.java) { kotlinx.coroutines.runBlocking { kinglet.countTokens("a") } }
        assertTrue(kinglet.becomes(EngineState.UNLOADED))
        free(1_000_000_000)
        assertTrue(kinglet.countTokens("a") > 0)
    }
}

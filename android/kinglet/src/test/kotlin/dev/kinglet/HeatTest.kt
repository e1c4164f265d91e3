package dev.kinglet

import android.content.Intent
import android.os.PowerManager
import dev.kinglet.Fixture.test
import dev.kinglet.Fixture.testWith
import dev.kinglet.Fixture.tokens
import dev.kinglet.ThrottleReason.BATTERY_SAVER
import dev.kinglet.ThrottleReason.HOT
import dev.kinglet.ThrottleReason.NONE
import dev.kinglet.ThrottleReason.WARM
import kotlinx.coroutines.flow.toList
import org.junit.Assert.assertEquals
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config

/** A warm phone, and one that saves battery. */
@RunWith(RobolectricTestRunner::class)
class HeatTest {
    private val power get() = Fixture.context.getSystemService(PowerManager::class.java)

    private fun status(now: Int) = shadowOf(power).setCurrentThermalStatus(now)

    private fun saver(on: Boolean) {
        shadowOf(power).setIsPowerSaveMode(on)
        Fixture.context.sendBroadcast(Intent(PowerManager.ACTION_POWER_SAVE_MODE_CHANGED))
        shadowOf(android.os.Looper.getMainLooper()).idle()
    }

    private suspend fun Session.reasons(during: (Int) -> Unit = {}): List<ThrottleReason> {
        reset()
        var texts = 0
        val reasons = mutableListOf<ThrottleReason>()
        generate("a", tokens(30)).collect { event ->
            if (event is Event.Throttled) reasons += event.why
            if (event is Event.Text) during(texts++)
        }
        return reasons
    }

    @Test
    fun eachThermalStatusHasItsReason() = testWith { kinglet ->
        val session = kinglet.session()
        val expected = mapOf(
            PowerManager.THERMAL_STATUS_LIGHT to emptyList(),
            PowerManager.THERMAL_STATUS_MODERATE to listOf(WARM),
            PowerManager.THERMAL_STATUS_SEVERE to listOf(HOT),
            PowerManager.THERMAL_STATUS_CRITICAL to listOf(HOT),
            PowerManager.THERMAL_STATUS_EMERGENCY to listOf(HOT),
            PowerManager.THERMAL_STATUS_SHUTDOWN to listOf(HOT),
            PowerManager.THERMAL_STATUS_NONE to emptyList(),
        )
        for ((now, reasons) in expected) {
            status(now)
            assertEquals("status $now", reasons, session.reasons())
        }
    }

    @Test
    fun aPhoneThatWarmsUpOnTheWayIsToldOnce() = testWith { kinglet ->
        val reasons = kinglet.session().reasons { text ->
            if (text == 3) status(PowerManager.THERMAL_STATUS_SEVERE)
            if (text == 8) status(PowerManager.THERMAL_STATUS_NONE)
        }
        assertEquals(listOf(HOT, NONE), reasons)
    }

    @Test
    fun batterySaverSlowsDownAndHeatMatters() = testWith { kinglet ->
        val session = kinglet.session()
        saver(true)
        assertEquals(listOf(BATTERY_SAVER), session.reasons())
        status(PowerManager.THERMAL_STATUS_MODERATE)
        assertEquals(listOf(WARM), session.reasons())
        status(PowerManager.THERMAL_STATUS_NONE)
        saver(false)
        assertEquals(emptyList<ThrottleReason>(), session.reasons())
    }

    @Test
    fun aModelOpenedInBatterySaverIsSlowFromTheStart() = test {
        shadowOf(power).setIsPowerSaveMode(true)
        Kinglet.open(Fixture.context, Fixture.tiny(), Fixture.cpu).use { kinglet ->
            val events = kinglet.session().generate("a", tokens(3)).toList()
            assertEquals(Event.Throttled(BATTERY_SAVER), events.first())
        }
    }

    @Test
    fun theTextIsTheSame() = testWith { kinglet ->
        val session = kinglet.session()
        val text = session.generate("One, two, three", tokens(60)).done().text
        status(PowerManager.THERMAL_STATUS_SEVERE)
        session.reset()
        val events = session.generate("One, two, three", tokens(60)).toList()
        assertEquals(Event.Throttled(HOT), events.first())
        assertEquals(text, (events.last() as Event.Done).text)
    }

    @Test
    fun whoDoesNotWantItIsNotSlowed() = testWith(options = Fixture.cpu.copy(manners = Manners(slowWhenHot = false))) { kinglet ->
        status(PowerManager.THERMAL_STATUS_SEVERE)
        assertEquals(emptyList<ThrottleReason>(), kinglet.session().reasons())
    }

    @Test
    fun nothingListensAfterClose() = test {
        val before = shadowOf(power).thermalStatusListeners.size
        val kinglet = Kinglet.open(Fixture.context, Fixture.tiny(), Fixture.cpu)
        assertEquals(before + 1, shadowOf(power).thermalStatusListeners.size)
        kinglet.close()
        kinglet.close()
        assertEquals(before, shadowOf(power).thermalStatusListeners.size)
        status(PowerManager.THERMAL_STATUS_SEVERE)
        saver(true)
    }

    @Test
    @Config(shadows = [HotSoon::class])
    fun aPhoneThatWillBeHotIsSparedBefore() = testWith { kinglet ->
        assertEquals(listOf(WARM), kinglet.session().reasons())
    }
}

/** A phone that says it will be severely hot in some seconds. */
@org.robolectric.annotation.Implements(PowerManager::class)
class HotSoon : org.robolectric.shadows.ShadowPowerManager() {
    @Suppress("unused", "UNUSED_PARAMETER")
    @org.robolectric.annotation.Implementation
    fun getThermalHeadroom(forecastSeconds: Int): Float = 1.1f
}

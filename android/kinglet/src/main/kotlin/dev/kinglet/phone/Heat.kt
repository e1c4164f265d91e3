package dev.kinglet.phone

import android.content.BroadcastReceiver
import android.content.Context
import android.content.Intent
import android.content.IntentFilter
import android.os.Build
import android.os.PowerManager
import android.os.SystemClock
import androidx.annotation.RequiresApi
import dev.kinglet.ThrottleReason

/** How warm the phone is, and whether battery is saved. It listens until it is closed. */
internal class Heat(private val context: Context, private val onChange: (ThrottleReason) -> Unit) : AutoCloseable {
    private val power = checkNotNull(context.getSystemService(PowerManager::class.java))
    private val saver = object : BroadcastReceiver() {
        override fun onReceive(context: Context, intent: Intent) = update { saving = power.isPowerSaveMode }
    }
    private val stopThermal: () -> Unit
    private var status = 0
    private var headroom = Float.NaN
    private var askedAt: Long? = null
    private var saving = false

    @Volatile
    private var reason = ThrottleReason.NONE

    init {
        val filter = IntentFilter(PowerManager.ACTION_POWER_SAVE_MODE_CHANGED)
        if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.TIRAMISU) {
            context.registerReceiver(saver, filter, Context.RECEIVER_NOT_EXPORTED)
        } else {
            context.registerReceiver(saver, filter)
        }
        update { saving = power.isPowerSaveMode }
        stopThermal = if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.Q) listenToStatus() else ({})
    }

    @RequiresApi(Build.VERSION_CODES.Q)
    private fun listenToStatus(): () -> Unit {
        val listener = PowerManager.OnThermalStatusChangedListener { now -> update { status = now } }
        power.addThermalStatusListener(listener)
        update { status = power.currentThermalStatus }
        return { power.removeThermalStatusListener(listener) }
    }

    /** The reason to be slow now. Asks the phone where it is heading, no more often than it likes to be asked. */
    fun look(): ThrottleReason {
        if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.R) {
            val now = SystemClock.elapsedRealtime()
            update {
                if (askedAt.let { it == null || now - it >= ASK_EVERY_MILLIS }) {
                    askedAt = now
                    headroom = power.getThermalHeadroom(AHEAD_SECONDS)
                }
            }
        }
        return reason
    }

    @Synchronized
    private fun update(change: () -> Unit) {
        change()
        val now = when {
            status >= SEVERE -> ThrottleReason.HOT
            // NaN, where the phone cannot tell, is not more.
            status >= MODERATE || headroom >= SEVERE_HEADROOM -> ThrottleReason.WARM
            saving -> ThrottleReason.BATTERY_SAVER
            else -> ThrottleReason.NONE
        }
        if (now == reason) return
        reason = now
        onChange(now)
    }

    override fun close() {
        context.unregisterReceiver(saver)
        stopThermal()
    }

    private companion object {
        // PowerManager.THERMAL_STATUS_*, which older phones lack.
        const val MODERATE = 2
        const val SEVERE = 3

        /** At this headroom the phone would become severely hot. */
        const val SEVERE_HEADROOM = 1f
        const val AHEAD_SECONDS = 10

        /** More than once a second gives NaN. */
        const val ASK_EVERY_MILLIS = 10_000L
    }
}

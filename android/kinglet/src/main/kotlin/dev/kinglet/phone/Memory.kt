package dev.kinglet.phone

import android.app.ActivityManager
import android.content.ComponentCallbacks2
import android.content.Context
import android.content.res.Configuration
import dev.kinglet.Fit
import dev.kinglet.MemoryPlan

/** What the system wants back. */
internal enum class Pressure {
    /** What makes the next call faster, and is not needed for it. */
    SPARE,

    /** All that nobody uses. */
    ALL,
}

/** Tells what the system asks for. */
internal class MemoryWatch(private val context: Context, private val onPressure: (Pressure) -> Unit) : AutoCloseable {
    @Suppress("OVERRIDE_DEPRECATION")
    private val callbacks = object : ComponentCallbacks2 {
        override fun onTrimMemory(level: Int) {
            pressure(level)?.let(onPressure)
        }

        override fun onConfigurationChanged(newConfig: Configuration) = Unit

        override fun onLowMemory() = onPressure(Pressure.ALL)
    }

    init {
        context.registerComponentCallbacks(callbacks)
    }

    override fun close() = context.unregisterComponentCallbacks(callbacks)

    companion object {
        /**
         * The levels are no scale: UI_HIDDEN, which comes whenever a person leaves the app, is greater than
         * RUNNING_CRITICAL. That one is about the foreground, where giving back what is in use would end a generation.
         */
        @Suppress("DEPRECATION")
        fun pressure(level: Int): Pressure? = when (level) {
            ComponentCallbacks2.TRIM_MEMORY_RUNNING_LOW, ComponentCallbacks2.TRIM_MEMORY_BACKGROUND -> Pressure.SPARE
            ComponentCallbacks2.TRIM_MEMORY_RUNNING_CRITICAL,
            ComponentCallbacks2.TRIM_MEMORY_MODERATE,
            ComponentCallbacks2.TRIM_MEMORY_COMPLETE,
            -> Pressure.ALL
            else -> null
        }

        /** Whether a plan fits into what is left before the system begins to end apps. */
        fun fit(context: Context, plan: MemoryPlan): Fit {
            val memory = ActivityManager.MemoryInfo()
            context.getSystemService(ActivityManager::class.java)?.getMemoryInfo(memory)
            // A system that does not tell has no total either.
            if (memory.totalMem == 0L) return Fit(plan, Long.MAX_VALUE, null)
            val left = (memory.availMem - memory.threshold).coerceAtLeast(0)
            val reason = if (plan.total <= left) {
                null
            } else {
                "the model needs ${mega(plan.total)} MB of memory, and the phone has ${mega(left)} MB left; " +
                    "close other apps, or take a smaller model or a smaller context"
            }
            return Fit(plan, left, reason)
        }

        private fun mega(bytes: Long) = (bytes + 999_999) / 1_000_000
    }
}

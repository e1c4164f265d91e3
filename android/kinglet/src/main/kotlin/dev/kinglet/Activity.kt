package dev.kinglet

import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.asStateFlow

/** Counts the calls that run or wait. */
internal class Activity {
    private val now = MutableStateFlow(EngineState.IDLE)
    private var calls = 0
    private var closed = false

    val state: StateFlow<EngineState> = now.asStateFlow()

    inline fun <T> during(call: () -> T): T {
        change(1)
        try {
            return call()
        } finally {
            change(-1)
        }
    }

    @Synchronized
    fun change(by: Int) {
        calls += by
        show()
    }

    @Synchronized
    fun close() {
        closed = true
        show()
    }

    private fun show() {
        now.value = when {
            closed -> EngineState.CLOSED
            calls > 0 -> EngineState.WORKING
            else -> EngineState.IDLE
        }
    }
}

package dev.kinglet

import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.asStateFlow

/** Counts the calls that run or wait, and the sessions that are open. */
internal class Activity {
    private val now = MutableStateFlow(EngineState.IDLE)
    private var calls = 0
    private var sessions = 0
    private var unloaded = false
    private var closed = false

    val state: StateFlow<EngineState> = now.asStateFlow()

    val isUnloaded: Boolean
        @Synchronized get() = unloaded

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
    fun keep(by: Int) {
        sessions += by
    }

    /** Whether the engine is to be given back now: nobody uses it. */
    @Synchronized
    fun unload(): Boolean {
        if (calls > 0 || sessions > 0 || unloaded || closed) return false
        unloaded = true
        show()
        return true
    }

    @Synchronized
    fun loaded() {
        unloaded = false
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
            unloaded -> EngineState.UNLOADED
            else -> EngineState.IDLE
        }
    }
}

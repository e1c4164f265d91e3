package dev.kinglet.phone

import android.content.Context
import dev.kinglet.Device
import dev.kinglet.KingletException
import dev.kinglet.KingletOptions
import dev.kinglet.Residence
import dev.kinglet.ThrottleReason
import dev.kinglet.calling
import dev.kinglet.ffi.Effort
import dev.kinglet.ffi.Engine
import dev.kinglet.ffi.Meanwhile
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.cancel
import kotlinx.coroutines.launch
import java.util.concurrent.atomic.AtomicBoolean

/** Does what the phone asks for, for as long as a model is open. */
internal class Watch(
    context: Context,
    options: KingletOptions,
    private val residence: Residence,
    /** Whether the engine is on the CPU only because it was loaded in the background. */
    private val avoidedGpu: () -> Boolean,
) : AutoCloseable {
    private val closed = AtomicBoolean()
    private val scope = CoroutineScope(SupervisorJob() + Dispatchers.Default)

    @Volatile
    private var effort = Effort.FULL

    @Volatile
    private var suspendedByApp = false

    @Volatile
    private var inBackground = false

    /** How warm it is; unknown where that is not to be looked at. */
    val heat: Heat? = if (options.manners.slowWhenHot) Heat(context, ::slow) else null
    private val memory = if (options.manners.giveBackMemory) MemoryWatch(context, ::giveBack) else null

    init {
        residence.onLoaded = { engine ->
            engine.setEffort(effort)
            gate(engine)
        }
        if (!options.manners.gpuInBackground && options.device != Device.CPU) scope.launch { follow() }
    }

    /** Follows the app to the background and back. */
    private suspend fun follow() = Foreground.changes.collect { visible ->
        inBackground = !visible
        if (visible && avoidedGpu()) residence.giveBack()
        present(::gate)
    }

    /** What the app itself asks for; the GPU works when both want it to. */
    fun suspendGpu(suspended: Boolean) {
        suspendedByApp = suspended
        present(::gate)
    }

    private fun gate(engine: Engine) {
        if (suspendedByApp || inBackground) engine.suspend(Meanwhile.LEAVE) else engine.resume()
    }

    private fun slow(reason: ThrottleReason) {
        effort = when (reason) {
            ThrottleReason.NONE -> Effort.FULL
            ThrottleReason.BATTERY_SAVER, ThrottleReason.WARM -> Effort.HALF
            ThrottleReason.HOT -> Effort.QUARTER
        }
        present { it.setEffort(effort) }
    }

    private fun giveBack(pressure: Pressure) {
        scope.launch {
            if (pressure == Pressure.ALL && residence.giveBack()) return@launch
            try {
                residence.present()?.let { calling { it.trim() } }
            } catch (_: KingletException) {
                // Whoever closes the model, or fills its queue, frees more than this.
            }
        }
    }

    /** Tells the engine, if there is one; the next one is told when it is loaded. */
    private inline fun present(tell: (Engine) -> Unit) {
        try {
            residence.present()?.let { calling { tell(it) } }
        } catch (_: KingletException.Closed) {
            // It was given back, or closed, at this very moment.
        }
    }

    override fun close() {
        if (closed.getAndSet(true)) return
        scope.cancel()
        memory?.close()
        heat?.close()
    }
}

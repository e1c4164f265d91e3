package dev.kinglet

import dev.kinglet.ffi.Work
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.sync.Mutex
import kotlinx.coroutines.sync.withLock
import dev.kinglet.ffi.Engine as CoreEngine

/**
 * The core's engine: in memory, or given back while nobody needs it, and loaded again for the next call.
 *
 * Whoever uses it is counted before, by [Activity], so that it is never given back under a call.
 */
internal class Residence(first: CoreEngine, private val load: suspend (Work) -> CoreEngine) {
    @Volatile
    private var engine = first
    private val activity = Activity()
    private val turn = Mutex()

    @Volatile
    private var loading: Work? = null

    @Volatile
    private var closing = false

    /** Told of each engine before it is used. */
    var onLoaded: (CoreEngine) -> Unit = {}

    val state: StateFlow<EngineState> get() = activity.state

    /** Counts a call. */
    suspend fun <T> during(call: suspend (CoreEngine) -> T): T = activity.during { call(engine()) }

    fun sessionOpened() = activity.keep(1)

    fun sessionClosed() = activity.keep(-1)

    /** The engine if it is in memory; it may be gone at the next moment, and then refuses what is asked of it. */
    fun present(): CoreEngine? = engine.takeIf { !activity.isUnloaded }

    private suspend fun engine(): CoreEngine = turn.withLock {
        // An engine that was shut down says so to whoever asks.
        if (closing || !activity.isUnloaded) return@withLock engine
        val work = Work()
        loading = work
        try {
            engine = load(work).also(onLoaded)
            activity.loaded()
        } catch (error: KingletException.Cancelled) {
            if (!closing) throw error
        } finally {
            loading = null
            work.close()
        }
        engine
    }

    /** Frees the model, unless it is in use; says whether it did. */
    suspend fun giveBack(): Boolean = turn.withLock {
        activity.unload().also { if (it) engine.shutdown() }
    }

    /** Frees it for good. */
    suspend fun shutdown() {
        closing = true
        loading?.cancel()
        turn.withLock {
            // The core's object stays: it refuses what is asked of it from now on.
            engine.shutdown()
            activity.close()
        }
    }
}

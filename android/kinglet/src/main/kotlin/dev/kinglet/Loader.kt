package dev.kinglet

import android.content.Context
import dev.kinglet.ffi.Engine
import dev.kinglet.ffi.EngineOptions
import dev.kinglet.ffi.Work
import dev.kinglet.ffi.WorkProgress
import dev.kinglet.phone.Foreground
import dev.kinglet.phone.MemoryWatch
import dev.kinglet.phone.Watch
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.ensureActive
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.withContext
import dev.kinglet.ffi.plan as corePlan

/** Brings a model into memory, as often as it is asked to. */
internal class Loader(context: Context, private val model: ModelFile, private val options: KingletOptions) {
    private val app = context.applicationContext ?: context

    @Volatile
    private var avoidedGpu = false

    suspend fun open(): Kinglet = Work().use { open(it) }

    fun load(): Flow<LoadState> = flow {
        Work().use { work ->
            var shown = LoadState.Loading(0f, LoadStep.OPENING)
            emit(shown)
            var made: Kinglet? = null
            val kinglet = try {
                work.watched({ progress ->
                    val now = progress.state()
                    if (now != shown) emit(now)
                    shown = now
                }) { open(work).also { made = it } }.also { currentCoroutineContext().ensureActive() }
            } catch (error: Throwable) {
                // Cancelled after it was loaded: nobody would close it.
                made?.shutdown()
                throw error
            }
            emit(LoadState.Ready(kinglet))
        }
    }

    suspend fun fit(): Fit {
        val plan = calling { corePlan(model.file.path, core()) }.own()
        return MemoryWatch.fit(app, plan)
    }

    private suspend fun open(work: Work): Kinglet {
        val engine = engine(work)
        val residence = Residence(engine, ::engine)
        val watch = Watch(app, options, residence) { avoidedGpu }
        return Kinglet(engine, Calls(residence, watch.heat), watch)
    }

    private suspend fun engine(work: Work): Engine {
        var engine: Engine? = null
        try {
            withContext(Dispatchers.IO) {
                if (options.manners.planMemory) fit().reason?.let { throw KingletException.DoesNotFit(it) }
                engine = calling { Engine.load(model.file.path, core(), work) }
            }
            return checkNotNull(engine)
        } catch (error: Throwable) {
            // Cancelled after it was loaded: nobody would close it.
            engine?.close()
            throw error
        }
    }

    private fun core(): EngineOptions {
        // A GPU is not even tried in the background.
        avoidedGpu = options.device == Device.AUTO && !options.manners.gpuInBackground && !Foreground.now
        return (if (avoidedGpu) options.copy(device = Device.CPU) else options).core(app)
    }

    private fun WorkProgress.state(): LoadState.Loading {
        val step = if (total == 0uL) LoadStep.OPENING else LoadStep.WEIGHTS
        return LoadState.Loading(fraction.toFloat(), step)
    }
}

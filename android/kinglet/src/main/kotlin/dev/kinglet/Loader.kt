package dev.kinglet

import android.content.Context
import dev.kinglet.ffi.Engine
import dev.kinglet.ffi.Work
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeoutOrNull
import java.io.File
import kotlin.time.Duration.Companion.milliseconds

/** Brings a model into memory. */
internal class Loader(context: Context, private val model: ModelFile, private val options: KingletOptions) {
    private val app = context.applicationContext ?: context

    suspend fun open(): Kinglet = open(Work())

    fun load(): Flow<LoadState> = flow {
        Work().use { work ->
            val kinglet = coroutineScope {
                var shown = LoadState.Loading(0f, LoadStep.OPENING)
                emit(shown)
                val loading = async { open(work) }
                // The core tells how far it is when asked, so that no thread of its own comes into the app.
                while (withTimeoutOrNull(INTERVAL) { loading.join() } == null) {
                    val now = work.state()
                    if (now != shown) emit(now)
                    shown = now
                }
                loading.await()
            }
            emit(LoadState.Ready(kinglet))
        }
    }

    private suspend fun open(work: Work): Kinglet {
        var engine: Engine? = null
        try {
            withContext(Dispatchers.IO) {
                // Compiled kernels, and what the GPU was found to be good for.
                val cache = File(app.cacheDir, "kinglet").apply { mkdirs() }
                engine = calling { Engine.load(model.file.path, options.core(cache), work) }
            }
            return Kinglet(checkNotNull(engine))
        } catch (error: Throwable) {
            // Cancelled after it was loaded: nobody would close it.
            engine?.close()
            throw error
        }
    }

    private fun Work.state(): LoadState.Loading {
        val progress = progress()
        val step = if (progress.total == 0uL) LoadStep.OPENING else LoadStep.WEIGHTS
        return LoadState.Loading(progress.fraction.toFloat(), step)
    }

    private companion object {
        val INTERVAL = 50.milliseconds
    }
}

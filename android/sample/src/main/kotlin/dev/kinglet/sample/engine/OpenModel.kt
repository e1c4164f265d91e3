package dev.kinglet.sample.engine

import android.content.Context
import dev.kinglet.Kinglet
import dev.kinglet.KingletOptions
import dev.kinglet.LoadState
import dev.kinglet.ModelFile
import dev.kinglet.sample.models.Models
import dev.kinglet.sample.models.StoredModel
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.asStateFlow
import kotlinx.coroutines.launch
import kotlinx.coroutines.sync.Mutex
import kotlinx.coroutines.sync.withLock

/**
 * The chosen model, opened when somebody first needs it and kept for the whole process: screens, the text window and the
 * background share one. It is closed when another one is chosen.
 */
class OpenModel(
    private val context: Context,
    private val models: Models,
    scope: CoroutineScope,
    private val options: KingletOptions = KingletOptions(),
) {
    private class Opened(val model: StoredModel, val kinglet: Kinglet)

    private val turn = Mutex()
    private var opened: Opened? = null
    private val fraction = MutableStateFlow<Float?>(null)

    /** How far the model is on its way into memory; null when it is not on its way. */
    val loading: StateFlow<Float?> = fraction.asStateFlow()

    init {
        scope.launch {
            models.chosen.collect { chosen ->
                turn.withLock { if (opened?.model != chosen) close() }
            }
        }
    }

    /** The model's file. */
    fun file(): ModelFile = ModelFile(chosen().file)

    /** Opens it, if it is not open. */
    suspend fun get(): Kinglet = turn.withLock {
        val chosen = chosen()
        opened?.takeIf { it.model == chosen }?.let { return it.kinglet }
        close()
        try {
            Kinglet.load(context, ModelFile(chosen.file), options).collect { state ->
                when (state) {
                    is LoadState.Loading -> fraction.value = state.fraction
                    is LoadState.Ready -> opened = Opened(chosen, state.kinglet)
                }
            }
        } finally {
            fraction.value = null
        }
        checkNotNull(opened).kinglet
    }

    /** Gives its memory back; the next [get] opens it again. */
    suspend fun release() = turn.withLock { close() }

    private fun chosen() = models.chosen.value ?: throw NoModelException()

    private suspend fun close() {
        opened?.kinglet?.shutdown()
        opened = null
    }
}

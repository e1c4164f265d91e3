package dev.kinglet.sample.models

import android.net.Uri
import androidx.lifecycle.SavedStateHandle
import androidx.lifecycle.ViewModel
import androidx.lifecycle.viewModelScope
import dev.kinglet.Fit
import dev.kinglet.ModelInfo
import dev.kinglet.sample.Parts
import dev.kinglet.sample.engine.Problem
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.Job
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.SharingStarted
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.combine
import kotlinx.coroutines.flow.map
import kotlinx.coroutines.flow.stateIn
import kotlinx.coroutines.launch

data class ModelsState(
    val models: List<ModelEntry> = emptyList(),
    /** A copy that is being made. */
    val copy: ImportStep.Copied? = null,
    /** Why the last copy was not kept. */
    val problem: Problem? = null,
    /** The model whose page is open. */
    val open: ModelEntry? = null,
)

data class ModelEntry(
    val model: StoredModel,
    val chosen: Boolean,
    /** Not known yet, or not to be known: see [problem]. */
    val info: ModelInfo? = null,
    val fit: Fit? = null,
    val problem: Problem? = null,
)

class ModelsViewModel(private val parts: Parts, private val saved: SavedStateHandle) : ViewModel() {
    private class Facts(val info: ModelInfo?, val fit: Fit?, val problem: Problem?)

    private class Import(val copy: ImportStep.Copied? = null, val problem: Problem? = null)

    private val models get() = parts.models
    private val facts = MutableStateFlow(emptyMap<StoredModel, Facts>())
    private val import = MutableStateFlow(Import())
    private var job: Job? = null

    val state: StateFlow<ModelsState> = combine(
        combine(models.all, models.chosen, facts, ::entries),
        import,
        saved.getStateFlow<String?>(OPEN, null),
    ) { entries, import, open ->
        ModelsState(entries, import.copy, import.problem, entries.firstOrNull { it.model.file.name == open })
    }.stateIn(viewModelScope, SharingStarted.Eagerly, ModelsState())

    init {
        viewModelScope.launch { models.all.map { all -> all - facts.value.keys }.collect { it.forEach { model -> look(model) } } }
    }

    /** Memory comes and goes: asks again. */
    fun look() {
        viewModelScope.launch { models.all.value.forEach { look(it) } }
    }

    fun import(document: Uri) {
        job?.cancel()
        import.value = Import(ImportStep.Copied(0, 0))
        job = viewModelScope.launch {
            try {
                models.import(document).collect { step ->
                    import.value = when (step) {
                        is ImportStep.Copied -> Import(step)
                        is ImportStep.Finished -> Import()
                    }
                }
            } catch (left: CancellationException) {
                throw left
            } catch (error: Exception) {
                import.value = Import(problem = Problem.of(error))
            }
        }
    }

    fun stopImport() {
        job?.cancel()
        import.value = Import()
    }

    fun dismiss() {
        import.value = Import()
    }

    fun choose(model: StoredModel) = models.choose(model)

    fun open(model: StoredModel) {
        saved[OPEN] = model.file.name
    }

    fun back() {
        saved[OPEN] = null
    }

    fun delete(model: StoredModel) {
        back()
        parts.scope.launch { models.delete(model) }
    }

    private suspend fun look(model: StoredModel) {
        facts.value += model to try {
            Facts(models.inspect(model), models.fit(model), null)
        } catch (left: CancellationException) {
            throw left
        } catch (error: Exception) {
            Facts(null, null, Problem.of(error))
        }
    }

    private fun entries(all: List<StoredModel>, chosen: StoredModel?, facts: Map<StoredModel, Facts>) = all.map { model ->
        val known = facts[model]
        ModelEntry(model, model == chosen, known?.info, known?.fit, known?.problem)
    }

    private companion object {
        const val OPEN = "open"
    }
}

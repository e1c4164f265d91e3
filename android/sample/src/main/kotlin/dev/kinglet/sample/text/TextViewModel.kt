package dev.kinglet.sample.text

import androidx.lifecycle.SavedStateHandle
import androidx.lifecycle.ViewModel
import androidx.lifecycle.viewModelScope
import dev.kinglet.sample.Parts
import dev.kinglet.sample.engine.Answer
import dev.kinglet.sample.engine.Assistant
import dev.kinglet.sample.engine.Live
import dev.kinglet.sample.engine.Problem
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.Job
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.SharingStarted
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.combine
import kotlinx.coroutines.flow.stateIn
import kotlinx.coroutines.flow.update
import kotlinx.coroutines.launch
import java.text.NumberFormat

data class TextState(
    val form: TextForm = TextForm(),
    /** A text that is made, or nothing but `running` for what comes at once. */
    val live: Live = Live(),
    val outcome: Outcome? = null,
) {
    val ready: Boolean get() = form.input.isNotBlank() && !live.running
}

/** What the person filled in. */
data class TextForm(
    val input: String = "",
    val task: TextTask = TextTask.SUMMARIZE,
    val style: StyleChoice = StyleChoice.SENTENCE,
    val tone: ToneChoice = ToneChoice.FRIENDLY,
    /** Names with commas between them; none for the screen's own suggestion. */
    val fields: String = "",
    val labels: String = "",
)

class TextViewModel(private val parts: Parts, private val saved: SavedStateHandle) : ViewModel() {
    private val assistant: Assistant get() = parts.assistant
    private val answer = Answer(viewModelScope)
    private val once = MutableStateFlow(Live())
    private val form = MutableStateFlow(restored())
    private val outcome = MutableStateFlow(saved.get<ArrayList<String?>>(OUTCOME)?.let(Outcome::unflat))
    private var job: Job? = null

    val state: StateFlow<TextState> = combine(form, answer.state, once, outcome) { form, streamed, once, outcome ->
        TextState(form, if (once != Live()) once else streamed, outcome)
    }.stateIn(viewModelScope, SharingStarted.Eagerly, TextState(form.value, outcome = outcome.value))

    /** A text from another app takes the place of what was there. */
    fun take(text: String) {
        stop()
        forget()
        fill { it.copy(input = text) }
    }

    fun fill(edit: (TextForm) -> TextForm) {
        form.update(edit)
        val form = form.value
        // The system takes about a megabyte from all of the app; a longer text has to be given again.
        saved[INPUT] = form.input.takeIf { it.length <= LONGEST }
        saved[TASK] = form.task.name
        saved[STYLE] = form.style.name
        saved[TONE] = form.tone.name
        saved[FIELDS] = form.fields
        saved[LABELS] = form.labels
    }

    /** Does it. [fields] and [labels] stand in where the person named none. */
    fun run(fields: String, labels: String) {
        stop()
        forget()
        val form = form.value
        val text = form.input
        when (form.task) {
            TextTask.SUMMARIZE -> answer.begin(assistant.summarize(text, form.style.style), ::made)
            TextTask.REWRITE -> answer.begin(assistant.rewrite(text, form.tone.tone), ::made)
            TextTask.EXTRACT -> once { Outcome.of(it, assistant.extract(text, names(form.fields.ifBlank { fields }))) }
            TextTask.CLASSIFY -> once { Outcome.of(it, percents(assistant.classify(text, names(form.labels.ifBlank { labels })))) }
            TextTask.REPLY -> once { Outcome.of(it, assistant.reply(text)) }
        }
    }

    fun stop() {
        if (answer.state.value.running) answer.stop()
        job?.cancel()
        if (once.value.running) once.value = Live()
    }

    private fun once(work: suspend (TextTask) -> Outcome) {
        once.value = Live(running = true)
        job = viewModelScope.launch {
            try {
                val made = work(form.value.task)
                once.value = Live()
                keep(made)
            } catch (left: CancellationException) {
                throw left
            } catch (error: Exception) {
                once.value = Live(problem = Problem.of(error))
            }
        }
    }

    private fun made(text: String) = keep(Outcome.of(form.value.task, listOf(text)))

    private fun keep(made: Outcome) {
        outcome.value = made
        saved[OUTCOME] = made.flat().takeIf { made.text.length <= LONGEST }
    }

    private fun forget() {
        answer.clear()
        once.value = Live()
        outcome.value = null
        saved[OUTCOME] = null
    }

    private fun names(list: String) = list.split(',').map { it.trim() }.filter { it.isNotEmpty() }.distinct()

    private fun percents(labels: Map<String, Double>) =
        labels.entries.sortedByDescending { it.value }.associate { it.key to NumberFormat.getPercentInstance().format(it.value) }

    private fun restored() = TextForm(
        input = saved[INPUT] ?: "",
        task = named(TASK, TextTask.SUMMARIZE),
        style = named(STYLE, StyleChoice.SENTENCE),
        tone = named(TONE, ToneChoice.FRIENDLY),
        fields = saved[FIELDS] ?: "",
        labels = saved[LABELS] ?: "",
    )

    private inline fun <reified T : Enum<T>> named(key: String, usual: T): T =
        enumValues<T>().firstOrNull { it.name == saved.get<String>(key) } ?: usual

    private companion object {
        const val INPUT = "input"
        const val TASK = "task"
        const val STYLE = "style"
        const val TONE = "tone"
        const val FIELDS = "fields"
        const val LABELS = "labels"
        const val OUTCOME = "outcome"
        const val LONGEST = 50_000
    }
}

package dev.kinglet.sample.engine

import dev.kinglet.Event
import dev.kinglet.Stats
import dev.kinglet.ThrottleReason
import dev.kinglet.takenBack
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Job
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.asStateFlow
import kotlinx.coroutines.flow.update
import kotlinx.coroutines.launch

/** An answer as a screen shows it, while it is made and after. */
data class Live(
    val text: String = "",
    val running: Boolean = false,
    val note: Note? = null,
    val problem: Problem? = null,
    /** Once it has ended. */
    val stats: Stats? = null,
)

/** What a person should know while they wait. */
sealed interface Note {
    data class Part(val part: Int, val parts: Int) : Note

    data class Switched(val to: String) : Note

    /** It goes on, slower. */
    data class Throttled(val why: ThrottleReason) : Note
}

/** Makes one answer at a time, and stops it with its [scope] at the latest. */
class Answer(private val scope: CoroutineScope) {
    private val now = MutableStateFlow(Live())
    private var job: Job? = null

    val state: StateFlow<Live> = now.asStateFlow()

    /** Stops what runs, and makes this instead. [done] is called with the whole text. */
    fun begin(events: Flow<Event>, done: (String) -> Unit = {}) {
        job?.cancel()
        now.value = Live(running = true)
        job = scope.launch {
            try {
                events.collect(::show)
                now.update { it.copy(running = false, note = null) }
                done(now.value.text)
            } catch (left: CancellationException) {
                throw left
            } catch (error: Exception) {
                now.update { it.copy(running = false, note = null, problem = Problem.of(error)) }
            }
        }
    }

    /** Ends it; what there is of the text stays. */
    fun stop() {
        job?.cancel()
        job = null
        now.update { it.copy(running = false, note = null) }
    }

    /** Nothing is shown any more. */
    fun clear() {
        stop()
        now.value = Live()
    }

    private fun show(event: Event) = now.update {
        when (event) {
            is Event.Text -> it.copy(text = it.text + event.text)
            is Event.TakeBack -> it.copy(text = it.text.takenBack(event.codePoints))
            is Event.Switched -> it.copy(note = Note.Switched(event.to))
            is Event.Throttled -> it.copy(note = Note.Throttled(event.why).takeIf { note -> note.why != ThrottleReason.NONE })
            is Event.Progress -> it.copy(note = Note.Part(event.part, event.parts).takeIf { part -> part.parts > 1 })
            is Event.Done -> it.copy(text = event.text, stats = event.stats)
        }
    }
}

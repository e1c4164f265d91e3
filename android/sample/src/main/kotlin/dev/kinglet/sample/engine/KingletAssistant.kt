package dev.kinglet.sample.engine

import dev.kinglet.Event
import dev.kinglet.Kinglet
import dev.kinglet.StoredDigest
import dev.kinglet.Summarizer
import dev.kinglet.SummaryQueue
import dev.kinglet.SummaryStyle
import dev.kinglet.Tone
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.emitAll
import kotlinx.coroutines.flow.flow

/** The model that was chosen, over the SDK. */
class KingletAssistant(private val model: OpenModel, private val queue: SummaryQueue) : Assistant {
    override fun summarize(text: String, style: SummaryStyle): Flow<Event> = stream { it.summarize(text, style) }

    override fun rewrite(text: String, tone: Tone): Flow<Event> = stream { it.rewrite(text, tone) }

    override suspend fun reply(message: String): List<String> = model.get().reply(message).suggestions

    override suspend fun classify(text: String, labels: List<String>): Map<String, Double> =
        model.get().classify(text, labels).probabilities

    override suspend fun extract(text: String, fields: List<String>): Map<String, String?> = model.get().extract(text, fields).fields

    override fun digest(): Flow<Event> = flow { drain { emit(it) } }

    // Two that drain at a time take turns: the queue sees to it.
    override suspend fun drain(tell: suspend (Event) -> Unit): StoredDigest? {
        var newest: StoredDigest? = null
        // It takes so many at once, and waiting for nothing needs no model.
        while (queue.waiting().isNotEmpty()) {
            if (newest != null) tell(Event.Text("\n\n"))
            newest = Summarizer(model.get()).drain(queue, tell) ?: break
        }
        return newest
    }

    private fun stream(begin: (Kinglet) -> Flow<Event>): Flow<Event> = flow { emitAll(begin(model.get())) }
}

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
import kotlinx.coroutines.sync.Mutex
import kotlinx.coroutines.sync.withLock

/** The model that was chosen, over the SDK. */
class KingletAssistant(private val model: OpenModel, private val queue: SummaryQueue) : Assistant {
    // A digest asked for by hand and one of the schedule must not be made of the same notifications.
    private val digesting = Mutex()

    override fun summarize(text: String, style: SummaryStyle): Flow<Event> = stream { it.summarize(text, style) }

    override fun rewrite(text: String, tone: Tone): Flow<Event> = stream { it.rewrite(text, tone) }

    override suspend fun reply(message: String): List<String> = model.get().reply(message).suggestions

    override suspend fun classify(text: String, labels: List<String>): Map<String, Double> =
        model.get().classify(text, labels).probabilities

    override suspend fun extract(text: String, fields: List<String>): Map<String, String?> =
        model.get().extract(text, fields).fields

    override fun digest(): Flow<Event> = flow {
        val made = drain() ?: return@flow
        emit(Event.Text(made.text))
        emit(Event.Done(made.text, made.groups, made.stats))
    }

    override suspend fun drain(): StoredDigest? = digesting.withLock {
        if (queue.waiting().isEmpty()) null else Summarizer(model.get()).drain(queue)
    }

    private fun stream(begin: (Kinglet) -> Flow<Event>): Flow<Event> = flow { emitAll(begin(model.get())) }
}

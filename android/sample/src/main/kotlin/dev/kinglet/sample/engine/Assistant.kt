package dev.kinglet.sample.engine

import dev.kinglet.Event
import dev.kinglet.StoredDigest
import dev.kinglet.SummaryStyle
import dev.kinglet.Tone
import kotlinx.coroutines.flow.Flow

/**
 * What the app asks of a language model. Flows are cold: a collector begins the work and stops it by leaving. Everything
 * fails with [NoModelException] until a model was chosen.
 */
interface Assistant {
    fun summarize(text: String, style: SummaryStyle): Flow<Event>

    fun rewrite(text: String, tone: Tone): Flow<Event>

    /** Short answers to a message. */
    suspend fun reply(message: String): List<String>

    /** Each label with its probability. */
    suspend fun classify(text: String, labels: List<String>): Map<String, Double>

    /** Each field with what the text says of it, if anything. */
    suspend fun extract(text: String, fields: List<String>): Map<String, String?>

    /** Makes a digest of all that waits, while it can be read; at the end it is kept. Empty where nothing waits. */
    fun digest(): Flow<Event>

    /** The same: the newest digest that was made and kept, or null where nothing waits. [tell] is given the events on the way. */
    suspend fun drain(tell: suspend (Event) -> Unit = {}): StoredDigest?
}

/** There is no model yet that could do anything. */
class NoModelException : IllegalStateException("no model was chosen")

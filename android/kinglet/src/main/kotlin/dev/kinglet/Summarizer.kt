package dev.kinglet

import kotlinx.coroutines.flow.Flow

/**
 * Makes digests of lists of notifications. What all of them share of the prompt is computed once and kept by the engine, from
 * one digest to the next.
 */
public class Summarizer(private val kinglet: Kinglet) {
    /** One sentence for each app that had something to say; [Event.Done] has them one by one. */
    public fun digest(notifications: List<NotificationText>): Flow<Event> = kinglet.digest(notifications)

    /**
     * Makes a digest of what waits in a queue, the oldest first, and keeps it there; null where nothing waits. At most
     * [MOST_AT_ONCE] notifications are in one digest: call it until it gives null.
     *
     * Cancelled, failed or killed at any moment, all of them wait as before. [tell] is given the events on the way, but
     * for the last.
     */
    @JvmOverloads
    public suspend fun drain(queue: SummaryQueue, tell: suspend (Event) -> Unit = {}): StoredDigest? =
        queue.drain(MOST_AT_ONCE) { notifications ->
            var done: Event.Done? = null
            digest(notifications).collect { event -> if (event is Event.Done) done = event else tell(event) }
            val digest = checkNotNull(done)
            // Cut off by whoever closed the model: half of it must not pass for the whole.
            if (digest.stats.stop == StopReason.CANCELLED) {
                throw KingletException.Closed("the engine was shut down before the digest was whole; load the model again", null)
            }
            digest
        }

    public companion object {
        /** The most notifications of one digest. */
        public const val MOST_AT_ONCE: Int = 100
    }
}

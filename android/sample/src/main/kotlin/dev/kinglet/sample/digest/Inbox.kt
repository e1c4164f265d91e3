package dev.kinglet.sample.digest

import dev.kinglet.NotificationText
import dev.kinglet.StoredDigest
import dev.kinglet.SummaryQueue
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.map

/** Notifications that wait for their digest, and the digests made so far. */
interface Inbox {
    /** Now, and after each change. */
    val contents: Flow<Contents>

    /** False where that key waits already or is in a digest already. */
    suspend fun add(key: String, notification: NotificationText): Boolean

    /** Takes one back that is gone before its digest. */
    suspend fun remove(key: String)

    /** Newest first. */
    suspend fun history(): List<StoredDigest>

    suspend fun delete(id: Long)

    /** Everything goes. */
    suspend fun clear()

    data class Contents(val waiting: List<NotificationText>, val history: List<StoredDigest>)
}

/** The SDK's queue, which is a small database: it outlives the process. */
class QueueInbox(private val queue: SummaryQueue) : Inbox {
    override val contents: Flow<Inbox.Contents> = queue.changes.map { Inbox.Contents(queue.waiting(), queue.history()) }

    override suspend fun add(key: String, notification: NotificationText): Boolean = queue.add(key, notification)

    override suspend fun remove(key: String) = queue.remove(key)

    override suspend fun history(): List<StoredDigest> = queue.history()

    override suspend fun delete(id: Long) = queue.delete(id)

    override suspend fun clear() = queue.clear()
}

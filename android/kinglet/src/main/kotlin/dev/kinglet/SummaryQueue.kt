package dev.kinglet

import android.content.Context
import android.database.sqlite.SQLiteDatabase
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.map
import kotlinx.coroutines.flow.update
import kotlinx.coroutines.sync.Mutex
import kotlinx.coroutines.sync.withLock
import kotlinx.coroutines.withContext
import java.util.concurrent.ConcurrentHashMap
import java.util.concurrent.atomic.AtomicBoolean

/** A digest that was made, and of what. */
public data class StoredDigest(
    /** Its name in the queue. */
    public val id: Long,
    /** When, in milliseconds since the epoch. */
    public val madeAt: Long,
    /** The whole text. */
    public val text: String,
    /** One for each app. */
    public val groups: List<DigestGroup>,
    /** What it was made of. */
    public val notifications: List<NotificationText>,
)

/**
 * Notifications that wait for their summary, and the digests made of them, in a database of the app.
 *
 * What was added is there when the process is gone and comes back. A digest and the notifications that it is made of
 * change sides in one transaction, so nothing is summarised twice and nothing is lost, whenever the process ends. Queues of
 * the same name are the same queue. The last 500 digests are kept, and keys for a month at least.
 *
 * What the disk refuses is Android's `SQLException`, with nothing changed.
 */
public class SummaryQueue @JvmOverloads constructor(context: Context, name: String = "kinglet-queue") : AutoCloseable {
    private val shared = Shared.of(context.applicationContext ?: context, name)
    private val tables = shared.tables
    private val closed = AtomicBoolean()

    /** Something now, and after each change by this process. */
    public val changes: Flow<Unit> = shared.version.map { }

    /**
     * Adds a notification; false where its key waits already or was summarised. A key names one content: of a
     * notification that was updated it must be another one, made of its post time for instance.
     */
    public suspend fun add(key: String, notification: NotificationText): Boolean =
        changing { tables.add(it, key, notification, System.currentTimeMillis()) }

    /** The notification is gone: if it still waits, it does not any more. */
    public suspend fun remove(key: String): Unit = changing { tables.remove(it, key) }

    /** What waits, the oldest first. */
    public suspend fun waiting(): List<NotificationText> = reading { db -> tables.waiting(db, Int.MAX_VALUE).map { it.second } }

    /** The last digests, the newest first. */
    @JvmOverloads
    public suspend fun history(limit: Int = 50): List<StoredDigest> = reading { tables.history(it, limit) }

    /** Forgets a digest and the texts that it was made of; they are not summarised again. */
    public suspend fun delete(id: Long): Unit = changing { tables.delete(it, id) }

    /** Forgets everything: what waits, all digests, and which notifications there were. */
    public suspend fun clear(): Unit = changing { tables.clear(it) }

    /** Makes a digest of up to [limit] that wait. One at a time, whoever asks. */
    internal suspend fun drain(limit: Int, summarize: suspend (List<NotificationText>) -> Event.Done): StoredDigest? =
        shared.draining.withLock {
            val rows = reading { tables.waiting(it, limit) }
            if (rows.isEmpty()) return null
            val (ids, notifications) = rows.unzip()
            val done = summarize(notifications)
            changing { tables.done(it, ids, done, System.currentTimeMillis()) }
        }

    /** Closes the database once no other queue of that name uses it; what is in it stays. */
    override fun close() {
        if (!closed.getAndSet(true)) shared.leave()
    }

    private suspend fun <T> reading(read: (SQLiteDatabase) -> T): T = withContext(Dispatchers.IO) { read(tables.readableDatabase) }

    private suspend fun <T> changing(change: (SQLiteDatabase) -> T): T = withContext(Dispatchers.IO) {
        val db = tables.writableDatabase
        db.beginTransaction()
        try {
            change(db).also { db.setTransactionSuccessful() }
        } finally {
            db.endTransaction()
            shared.version.update { it + 1 }
        }
    }

    /**
     * What the queues of one file share in this process. One connection, since two would wait for each other's locks, and
     * SQLite gives up after a time.
     */
    private class Shared(val tables: QueueTables) {
        val version = MutableStateFlow(0L)
        val draining = Mutex()
        private var users = 0

        fun leave() = synchronized(this) {
            users--
            if (users == 0) tables.close()
        }

        companion object {
            private val ALL = ConcurrentHashMap<String, Shared>()

            fun of(context: Context, name: String): Shared {
                val tables = QueueTables(context, name)
                val file = context.getDatabasePath(checkNotNull(tables.databaseName)).path
                return ALL.getOrPut(file) { Shared(tables) }.also { synchronized(it) { it.users++ } }
            }
        }
    }
}

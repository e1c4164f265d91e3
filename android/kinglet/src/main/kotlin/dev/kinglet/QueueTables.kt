package dev.kinglet

import android.content.ContentValues
import android.content.Context
import android.database.Cursor
import android.database.sqlite.SQLiteDatabase
import android.database.sqlite.SQLiteDatabase.CONFLICT_IGNORE
import android.database.sqlite.SQLiteOpenHelper

/**
 * The queue's tables. `seen` holds every key; `notification` its content, which waits as long as it has no digest.
 *
 * Keys are kept for a month, so that a phone that posts the same notification again does not make the table grow for ever.
 */
internal class QueueTables(context: Context, name: String) : SQLiteOpenHelper(context, "$name.db", null, 1) {
    override fun onConfigure(db: SQLiteDatabase) {
        db.setForeignKeyConstraintsEnabled(true)
        // Another process may write too. Android gives up after 2.5 seconds, which a busy phone can need.
        db.rawQuery("PRAGMA busy_timeout = $PATIENCE_MILLIS", null).use { it.moveToFirst() }
    }

    // Two processes may both find the database new: when it is the second's turn the tables are there.
    override fun onCreate(db: SQLiteDatabase) {
        db.execSQL("CREATE TABLE IF NOT EXISTS seen(key TEXT PRIMARY KEY NOT NULL, at INTEGER NOT NULL) WITHOUT ROWID")
        db.execSQL("CREATE TABLE IF NOT EXISTS digest(id INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, text TEXT NOT NULL)")
        db.execSQL(
            "CREATE TABLE IF NOT EXISTS part(digest INTEGER NOT NULL REFERENCES digest(id) ON DELETE CASCADE, " +
                "app TEXT NOT NULL, count INTEGER NOT NULL, summary TEXT NOT NULL)",
        )
        db.execSQL(
            "CREATE TABLE IF NOT EXISTS notification(id INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL UNIQUE, " +
                "app TEXT NOT NULL, title TEXT NOT NULL, text TEXT NOT NULL, time TEXT NOT NULL, " +
                "digest INTEGER REFERENCES digest(id) ON DELETE CASCADE)",
        )
        db.execSQL("CREATE INDEX IF NOT EXISTS notification_digest ON notification(digest)")
        db.execSQL("CREATE INDEX IF NOT EXISTS part_digest ON part(digest)")
    }

    // There is one version so far.
    override fun onUpgrade(db: SQLiteDatabase, oldVersion: Int, newVersion: Int) = Unit

    fun add(db: SQLiteDatabase, key: String, notification: NotificationText, now: Long): Boolean {
        val seen = ContentValues().apply {
            put("key", key)
            put("at", now)
        }
        if (db.insertWithOnConflict("seen", null, seen, CONFLICT_IGNORE) == -1L) return false
        val row = ContentValues().apply {
            put("key", key)
            put("app", notification.app)
            put("title", notification.title)
            put("text", notification.text)
            put("time", notification.time)
        }
        db.insertOrThrow("notification", null, row)
        return true
    }

    fun remove(db: SQLiteDatabase, key: String) {
        db.delete("notification", "key = ? AND digest IS NULL", arrayOf(key))
    }

    fun waiting(db: SQLiteDatabase, limit: Int): List<Pair<Long, NotificationText>> =
        db.rawQuery("SELECT id, $CONTENT FROM notification WHERE digest IS NULL ORDER BY id LIMIT $limit", null)
            .rows { getLong(0) to notification(1) }

    /** Those notifications are in this digest now. Null where another process was faster with all of them. */
    fun done(db: SQLiteDatabase, ids: List<Long>, done: Event.Done, now: Long): StoredDigest? {
        val digest = ContentValues().apply {
            put("at", now)
            put("text", done.text)
        }
        val id = db.insertOrThrow("digest", null, digest)
        val belongs = ContentValues().apply { put("digest", id) }
        // Ids are numbers: nothing in them could end the statement. There are more of them than a statement has places.
        val changed = db.update("notification", belongs, "digest IS NULL AND id IN (${ids.joinToString()})", null)
        if (changed == 0) {
            db.delete("digest", "id = $id", null)
            return null
        }
        db.delete("digest", "id NOT IN (SELECT id FROM digest ORDER BY id DESC LIMIT $MOST_DIGESTS)", null)
        // Here, since a digest is rare, and each addition would go through the whole table.
        db.delete("seen", "at < ? AND key NOT IN (SELECT key FROM notification)", arrayOf((now - MONTH_MILLIS).toString()))
        for (group in done.groups) {
            val part = ContentValues().apply {
                put("digest", id)
                put("app", group.app)
                put("count", group.count)
                put("summary", group.summary)
            }
            db.insertOrThrow("part", null, part)
        }
        return stored(db, id, now, done.text)
    }

    fun history(db: SQLiteDatabase, limit: Int): List<StoredDigest> =
        db.rawQuery("SELECT id, at, text FROM digest ORDER BY id DESC LIMIT ${limit.coerceAtLeast(0)}", null)
            .rows { Triple(getLong(0), getLong(1), getString(2)) }
            .map { (id, at, text) -> stored(db, id, at, text) }

    private fun stored(db: SQLiteDatabase, id: Long, at: Long, text: String) = StoredDigest(
        id = id,
        madeAt = at,
        text = text,
        groups = db.rawQuery("SELECT app, count, summary FROM part WHERE digest = $id ORDER BY rowid", null)
            .rows { DigestGroup(getString(0), getInt(1), getString(2)) },
        notifications = db.rawQuery("SELECT $CONTENT FROM notification WHERE digest = $id ORDER BY id", null)
            .rows { notification(0) },
    )

    fun delete(db: SQLiteDatabase, id: Long) {
        db.delete("digest", "id = $id", null)
    }

    fun clear(db: SQLiteDatabase) {
        for (table in listOf("notification", "part", "digest", "seen")) db.delete(table, null, null)
    }

    private fun Cursor.notification(first: Int) =
        NotificationText(getString(first), getString(first + 1), getString(first + 2), getString(first + 3))

    private inline fun <T> Cursor.rows(row: Cursor.() -> T): List<T> = use {
        buildList { while (moveToNext()) add(row()) }
    }

    companion object {
        /** Older ones go, and the notifications that they are made of. */
        const val MOST_DIGESTS = 500

        private const val PATIENCE_MILLIS = 30_000
        private const val CONTENT = "app, title, text, time"
        private const val MONTH_MILLIS = 30L * 24 * 60 * 60 * 1000
    }
}

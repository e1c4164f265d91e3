package dev.kinglet.sample.digest

import android.app.Notification
import android.service.notification.StatusBarNotification
import dev.kinglet.NotificationText
import java.time.Instant
import java.time.ZoneId
import java.time.format.DateTimeFormatter
import java.time.temporal.ChronoUnit

/** Takes from a notification what a digest needs, or nothing where it is not for a digest. */
class NotificationReader(private val ownPackage: String, private val nameOf: (String) -> String) {
    fun read(posted: StatusBarNotification): NotificationText? {
        val notification = posted.notification
        if (posted.packageName == ownPackage || !notification.isNews()) return null
        val text = notification.words() ?: return null
        val title = notification.string(Notification.EXTRA_CONVERSATION_TITLE) ?: notification.string(Notification.EXTRA_TITLE)
        return NotificationText(nameOf(posted.packageName), title.orEmpty(), text, time(posted.postTime))
    }

    /** The same words of the same moment have the same key, however often they are posted. */
    fun key(posted: StatusBarNotification): String = "${posted.key}#${posted.notification.`when`}#${posted.notification.words().hashCode()}"

    private fun Notification.isNews(): Boolean {
        val shown =
            flags and (Notification.FLAG_ONGOING_EVENT or Notification.FLAG_FOREGROUND_SERVICE or Notification.FLAG_GROUP_SUMMARY) == 0
        // What must not be seen on a locked screen is not to be repeated by another app either.
        return shown && visibility != Notification.VISIBILITY_SECRET && category !in PASSING
    }

    private fun Notification.words(): String? {
        val lines = extras.getCharSequenceArray(Notification.EXTRA_TEXT_LINES)?.joinToString("\n")
        return listOf(string(Notification.EXTRA_BIG_TEXT), lines, string(Notification.EXTRA_TEXT))
            .firstOrNull { !it.isNullOrBlank() }?.trim()?.take(LONGEST)
    }

    private fun Notification.string(name: String) = extras.getCharSequence(name)?.toString()?.takeIf { it.isNotBlank() }

    // A form that sorts as text.
    private fun time(millis: Long) = DateTimeFormatter.ISO_LOCAL_DATE_TIME
        .format(Instant.ofEpochMilli(millis).atZone(ZoneId.systemDefault()).truncatedTo(ChronoUnit.SECONDS))

    private companion object {
        /** Things of the moment, which a digest hours later need not repeat. */
        val PASSING = setOf(
            Notification.CATEGORY_TRANSPORT,
            Notification.CATEGORY_PROGRESS,
            Notification.CATEGORY_NAVIGATION,
            Notification.CATEGORY_CALL,
            Notification.CATEGORY_ALARM,
            Notification.CATEGORY_SERVICE,
        )
        const val LONGEST = 4000
    }
}

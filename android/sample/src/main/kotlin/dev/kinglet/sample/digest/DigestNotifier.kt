package dev.kinglet.sample.digest

import android.annotation.SuppressLint
import android.app.PendingIntent
import android.content.Context
import android.content.Intent
import androidx.core.app.NotificationChannelCompat
import androidx.core.app.NotificationCompat
import androidx.core.app.NotificationManagerCompat
import dev.kinglet.StoredDigest
import dev.kinglet.sample.MainActivity
import dev.kinglet.sample.R

/** Says that a digest was made while nobody looked. There is one such notification at most: the newest. */
class DigestNotifier(private val context: Context) {
    private val manager = NotificationManagerCompat.from(context)

    @SuppressLint("MissingPermission") // Without it the system shows nothing; the digest is in the app all the same.
    fun post(digest: StoredDigest) {
        val channel = NotificationChannelCompat.Builder(CHANNEL, NotificationManagerCompat.IMPORTANCE_DEFAULT)
            .setName(context.getString(R.string.channel_digests))
            .setDescription(context.getString(R.string.channel_digests_what))
            .build()
        manager.createNotificationChannel(channel)
        manager.notify(ID, notification(digest))
    }

    fun remove() = manager.cancel(ID)

    private fun notification(digest: StoredDigest) = NotificationCompat.Builder(context, CHANNEL)
        .setSmallIcon(R.drawable.ic_bird)
        .setContentTitle(context.resources.getQuantityString(R.plurals.digest_of, digest.notifications.size, digest.notifications.size))
        .setContentText(digest.text)
        .setStyle(NotificationCompat.BigTextStyle().bigText(digest.text))
        .setWhen(digest.madeAt)
        .setAutoCancel(true)
        .setCategory(NotificationCompat.CATEGORY_STATUS)
        // On a locked screen it shows no more than the notifications it is made of would.
        .setVisibility(NotificationCompat.VISIBILITY_PRIVATE)
        .setContentIntent(open(MainActivity.digest(context)))
        .addAction(0, context.getString(R.string.mark_read), markRead(digest))
        .addAction(0, context.getString(R.string.open_app), open(MainActivity.digest(context)))
        .addAction(0, context.getString(R.string.why_this), open(MainActivity.digest(context, digest.id)))
        .build()

    private fun open(intent: Intent): PendingIntent = PendingIntent.getActivity(context, intent.dataString.hashCode(), intent, FLAGS)

    private fun markRead(digest: StoredDigest): PendingIntent =
        PendingIntent.getBroadcast(context, 0, MarkReadReceiver.intent(context, digest.id), FLAGS)

    companion object {
        const val CHANNEL = "digests"
        const val ID = 1
        private const val FLAGS = PendingIntent.FLAG_UPDATE_CURRENT or PendingIntent.FLAG_IMMUTABLE
    }
}

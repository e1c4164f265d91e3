package dev.kinglet.sample.digest

import android.content.pm.PackageManager
import android.database.SQLException
import android.service.notification.NotificationListenerService
import android.service.notification.StatusBarNotification
import android.util.Log
import dev.kinglet.sample.parts
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.launch
import kotlinx.coroutines.sync.Mutex
import kotlinx.coroutines.sync.withLock

/** Puts notifications into the inbox, of those apps that the person did not leave out, and only after they agreed. */
class DigestListener : NotificationListenerService() {
    private val reader by lazy { NotificationReader(packageName, ::nameOf) }

    // Whoever comes first goes first, so what is removed has been added before.
    private val turn = Mutex()

    override fun onListenerConnected() {
        activeNotifications.orEmpty().forEach(::onNotificationPosted)
    }

    override fun onNotificationPosted(posted: StatusBarNotification) {
        val preferences = parts.preferences
        if (!preferences.choices.value.consent) return
        val notification = reader.read(posted) ?: return
        preferences.change { it.copy(apps = it.apps + (posted.packageName to notification.app)) }
        if (posted.packageName in preferences.choices.value.muted) return
        inTurn { parts.inbox.add(reader.key(posted), notification) }
    }

    override fun onNotificationRemoved(posted: StatusBarNotification) {
        // Whoever swiped it away has seen it.
        inTurn { parts.inbox.remove(reader.key(posted)) }
    }

    private fun inTurn(work: suspend () -> Unit) {
        // Not the service's own scope: what was posted is kept even if the service ends now.
        // Begun at once: the order in line is that of the calls, and nothing is decided by which thread is free.
        parts.scope.launch(start = CoroutineStart.UNDISPATCHED) {
            try {
                turn.withLock { work() }
            } catch (error: SQLException) {
                // A full disk: this one is left out, which is better than an app that ends whenever somebody writes.
                Log.w("Kinglet", "a notification was left out", error)
            }
        }
    }

    private fun nameOf(app: String): String = try {
        packageManager.getApplicationLabel(packageManager.getApplicationInfo(app, 0)).toString()
    } catch (_: PackageManager.NameNotFoundException) {
        app
    }
}

package dev.kinglet.sample.digest

import android.content.pm.PackageManager
import android.service.notification.NotificationListenerService
import android.service.notification.StatusBarNotification
import dev.kinglet.sample.parts
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.ExperimentalCoroutinesApi
import kotlinx.coroutines.launch

/** Puts notifications into the inbox, of those apps that the person did not leave out, and only after they agreed. */
class DigestListener : NotificationListenerService() {
    private val reader by lazy { NotificationReader(packageName, ::nameOf) }

    // One after the other: what is removed has been added before.
    @OptIn(ExperimentalCoroutinesApi::class)
    private val inOrder = Dispatchers.IO.limitedParallelism(1)

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
        parts.scope.launch(inOrder) { work() }
    }

    private fun nameOf(app: String): String = try {
        packageManager.getApplicationLabel(packageManager.getApplicationInfo(app, 0)).toString()
    } catch (_: PackageManager.NameNotFoundException) {
        app
    }
}

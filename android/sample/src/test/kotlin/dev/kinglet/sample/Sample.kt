package dev.kinglet.sample

import android.app.Activity
import android.app.Notification
import android.content.Intent
import android.os.Bundle
import android.os.UserHandle
import android.service.notification.StatusBarNotification
import androidx.work.WorkManager
import androidx.work.impl.WorkManagerImpl
import dev.kinglet.Device
import dev.kinglet.KingletOptions
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import org.robolectric.Robolectric
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import org.robolectric.android.controller.ActivityController
import org.robolectric.util.ReflectionHelpers
import java.io.File
import kotlin.time.Duration.Companion.seconds

/** What the tests share. */
object Sample {
    val cpu = KingletOptions(device = Device.CPU, threads = 1)

    /** A file of the core's tests. */
    fun data(name: String) = File(checkNotNull(System.getProperty("kinglet.data")), name)

    fun tiny() = data("tiny/tiny-llama-q4_0.gguf")

    /** The real model; the build leaves tests of it out where it is not there. */
    fun smollm2() = File(checkNotNull(System.getProperty("kinglet.models")), "smollm2-135m-instruct-q4_1.gguf")

    /** A file of this module. */
    fun file(name: String) = File(checkNotNull(System.getProperty("kinglet.sample")), name)

    fun test(body: suspend CoroutineScope.() -> Unit) = runBlocking { withTimeout(60.seconds) { body() } }

    /** As if the person had agreed, and switched it on in the system's settings. */
    fun agree(app: SampleApp = RuntimeEnvironment.getApplication() as SampleApp) {
        app.parts.preferences.change { it.copy(consent = true) }
        android.provider.Settings.Secure.putString(
            app.contentResolver,
            "enabled_notification_listeners",
            "${app.packageName}/dev.kinglet.sample.digest.DigestListener",
        )
    }

    /**
     * WorkManager as in a new process: it is one for all of a process, and would keep the application of an earlier test.
     */
    fun workManager(): WorkManager {
        val app = RuntimeEnvironment.getApplication() as SampleApp
        val fresh = WorkManagerImpl(app, app.workManagerConfiguration)
        WorkManagerImpl.setDelegate(fresh)
        return fresh
    }

    fun open(intent: Intent = Intent(), saved: Bundle? = null): ActivityController<MainActivity> =
        open(MainActivity::class.java, intent, saved)

    /** The device is turned: another activity takes the place of this one, in the same process. */
    fun turn(controller: ActivityController<MainActivity>): ActivityController<MainActivity> {
        RuntimeEnvironment.setQualifiers("+land")
        val before = controller.get()
        ReflectionHelpers.setField(Activity::class.java, before, "mChangingConfigurations", true)
        val saved = Bundle()
        controller.pause().stop().saveInstanceState(saved)
        val kept = ReflectionHelpers.callInstanceMethod<Any>(Activity::class.java, before, "retainNonConfigurationInstances")
        controller.destroy()
        return open(MainActivity::class.java, before.intent, saved, kept)
    }

    fun <A : Activity> open(kind: Class<A>, intent: Intent, saved: Bundle? = null, kept: Any? = null): ActivityController<A> {
        Compose.forProcess(RuntimeEnvironment.getApplication())
        val controller = Robolectric.buildActivity(kind, intent.setClass(RuntimeEnvironment.getApplication(), kind))
        if (kept != null) ReflectionHelpers.setField(Activity::class.java, controller.get(), "mLastNonConfigurationInstances", kept)
        controller.create(saved).start()
        if (saved != null) controller.restoreInstanceState(saved)
        return controller.postCreate(saved).resume().visible().topActivityResumed(true)
    }

    /** What the system does when it needs the memory: the state is kept, all else is gone. */
    fun <A : Activity> die(controller: ActivityController<A>): Bundle = Bundle().also {
        controller.pause().stop().saveInstanceState(it).destroy()
    }

    /** A notification of another app. */
    fun posted(
        text: String,
        app: String = "org.example.chat",
        title: String = "Mia",
        id: Int = 1,
        change: Notification.Builder.() -> Unit = {},
    ): StatusBarNotification {
        val context = RuntimeEnvironment.getApplication()
        val notification = Notification.Builder(
            context,
            "any",
        ).setContentTitle(title).setContentText(text).setWhen(Believable.NOON).apply(change).build()
        val user = UserHandle.getUserHandleForUid(0)
        return StatusBarNotification(app, app, id, null, 10_001, 1, notification, user, null, Believable.NOON)
    }

    /** Gives an app a name, as an installed one has. */
    fun install(app: String, name: String) {
        val info = android.content.pm.PackageInfo().apply {
            packageName = app
            applicationInfo = android.content.pm.ApplicationInfo().apply {
                packageName = app
                this.name = name
                nonLocalizedLabel = name
            }
        }
        shadowOf(RuntimeEnvironment.getApplication().packageManager).installPackage(info)
    }

    val notifications: List<Notification>
        get() = shadowOf(
            RuntimeEnvironment.getApplication().getSystemService(android.app.NotificationManager::class.java),
        ).allNotifications
}

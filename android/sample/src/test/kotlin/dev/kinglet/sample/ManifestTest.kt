package dev.kinglet.sample

import android.content.Intent
import android.content.pm.ApplicationInfo
import android.content.pm.PackageInfo
import android.content.pm.PackageManager
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertNull
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.annotation.Config

/** What the app declares, with all that its parts add. */
@RunWith(RobolectricTestRunner::class)
@Config(application = TestApp::class)
class ManifestTest {
    private val app = RuntimeEnvironment.getApplication()
    private val declared: PackageInfo = app.packageManager.getPackageInfo(
        app.packageName,
        PackageManager.GET_PERMISSIONS or PackageManager.GET_ACTIVITIES or PackageManager.GET_SERVICES or
            PackageManager.GET_RECEIVERS or PackageManager.GET_PROVIDERS,
    )

    @Test
    fun noNetwork() {
        val asked = declared.requestedPermissions.orEmpty().toList()
        assertTrue("$asked", "android.permission.POST_NOTIFICATIONS" in asked)
        assertEquals(emptyList<String>(), asked.filter { "INTERNET" in it || "NETWORK" in it || "WIFI" in it })
    }

    @Test
    fun onlyTheSystemBindsTheListener() {
        val listener = declared.services.orEmpty().single { it.name.endsWith("DigestListener") }
        assertEquals("android.permission.BIND_NOTIFICATION_LISTENER_SERVICE", listener.permission)
    }

    @Test
    fun nothingIsBackedUp() = assertEquals(0, declared.applicationInfo!!.flags and ApplicationInfo.FLAG_ALLOW_BACKUP)

    @Test
    fun reportsAreNotForEverybody() {
        val provider = declared.providers.orEmpty().single { it.authority.endsWith(".reports") }
        assertFalse(provider.exported)
        assertTrue(provider.grantUriPermissions)
    }

    @Test
    fun workManagerWaitsForTheApp() {
        val startup = declared.providers.orEmpty().firstOrNull { it.name.endsWith("InitializationProvider") }
        val initializers = startup?.let {
            app.packageManager.getProviderInfo(
                android.content.ComponentName(app, it.name),
                PackageManager.GET_META_DATA,
            ).metaData
        }
        assertNull(initializers?.getString("androidx.work.WorkManagerInitializer"))
    }

    @Test
    fun textIsOfferedToKinglet() {
        for (action in listOf(Intent.ACTION_PROCESS_TEXT, Intent.ACTION_SEND)) {
            val found = app.packageManager.queryIntentActivities(Intent(action).setType("text/plain"), 0)
            assertEquals(action, listOf("dev.kinglet.sample.text.TextActivity"), found.map { it.activityInfo.name })
        }
    }
}

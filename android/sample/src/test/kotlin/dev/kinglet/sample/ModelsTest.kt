package dev.kinglet.sample

import android.app.Activity
import android.content.Intent
import android.net.Uri
import dev.kinglet.sample.models.ImportStep
import dev.kinglet.sample.models.StoredModel
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config
import java.io.File
import java.security.MessageDigest

/** Models as files, with the real SDK. */
@RunWith(RobolectricTestRunner::class)
@Config(application = RealApp::class, qualifiers = "w411dp-h891dp-mdpi")
class ModelsTest {
    private val app get() = RealApp.now
    private val folder get() = File(app.filesDir, "models")

    private fun document(name: String, bytes: ByteArray): Uri {
        val file = File(app.cacheDir, name).apply { writeBytes(bytes) }
        return Uri.fromFile(file)
    }

    private fun sha256(bytes: ByteArray) = MessageDigest.getInstance("SHA-256").digest(bytes).joinToString("") { "%02x".format(it) }

    private fun show(): Screen {
        val activity = Sample.open()
        return Screen { activity.get() }.apply { touch("Models") }
    }

    /** What the system's picker does. */
    private fun Screen.pick(activity: Activity, document: Uri) {
        touch("Add a model")
        val asked = shadowOf(activity).nextStartedActivityForResult
        assertEquals(Intent.ACTION_OPEN_DOCUMENT, asked.intent.action)
        shadowOf(activity).receiveResult(asked.intent, Activity.RESULT_OK, Intent().setData(document))
    }

    @Test
    fun aModelIsPickedCopiedAndUsed() {
        val bytes = Sample.tiny().readBytes()
        val activity = Sample.open()
        val screen = Screen { activity.get() }.apply { touch("Models") }
        screen.untilThere("No model yet")
        screen.pick(activity.get(), document("tiny.gguf", bytes))
        screen.untilThere("In use")
        assertEquals(StoredModel(File(folder, "tiny.gguf"), bytes.size.toLong(), sha256(bytes)), app.parts.models.chosen.value)
        screen.touch("Details: tiny")
        screen.untilThere(sha256(bytes).chunked(8).joinToString(" "))
        screen.untilThere("llama")
    }

    @Test
    fun progressIsTold() = Sample.test {
        val bytes = Sample.data("tiny/tiny-gemma3-w256-mix.gguf").readBytes()
        val steps = mutableListOf<ImportStep>()
        app.parts.models.import(document("mix.gguf", bytes)).collect { steps += it }
        val copied = steps.filterIsInstance<ImportStep.Copied>().map { it.bytes }
        assertTrue("$copied", copied.size > 1 && copied == copied.sorted() && copied.last() == bytes.size.toLong())
        assertTrue(steps.last() is ImportStep.Finished)
    }

    @Test
    fun aBrokenFileIsRefusedInTheSdksWords() {
        val activity = Sample.open()
        val screen = Screen { activity.get() }.apply { touch("Models") }
        screen.pick(activity.get(), document("broken.gguf", "no model at all".toByteArray()))
        screen.untilThere("GGUF")
        screen.until("no way on") { screen.canTouch("Dismiss") }
        assertEquals(emptyList<String>(), folder.list().orEmpty().toList())
        screen.touch("Dismiss")
        screen.until("it stays") { !screen.canTouch("Dismiss") }
    }

    @Test
    fun halfAModelIsRefusedToo() = Sample.test {
        val bytes = Sample.tiny().readBytes()
        val error = runCatching {
            app.parts.models.import(document("half.gguf", bytes.copyOf(bytes.size / 2))).collect { }
        }.exceptionOrNull()
        assertTrue("$error", error is dev.kinglet.KingletException)
        assertEquals(emptyList<String>(), folder.list().orEmpty().toList())
    }

    @Test
    fun theSameNameTwiceIsTwoModels() = Sample.test {
        repeat(2) { app.parts.models.import(document("tiny.gguf", Sample.tiny().readBytes())).collect { } }
        assertEquals(listOf("tiny", "tiny (2)"), app.parts.models.all.value.map { it.name }.sorted())
    }

    @Test
    fun aDeletedModelIsGone() {
        Sample.test { app.parts.models.import(document("tiny.gguf", Sample.tiny().readBytes())).collect { } }
        val screen = show()
        screen.touch("Details: tiny")
        screen.touch("Delete")
        screen.untilThere("Delete this model?")
        screen.touchLast("Delete")
        screen.untilThere("No model yet")
        Screen.turnUntil({ "${folder.list()?.toList()}" }) { folder.list().orEmpty().isEmpty() }
        assertEquals(null, app.parts.models.chosen.value)
    }

    @Test
    fun whatADeadProcessLeftIsCleanedUp() {
        folder.mkdirs()
        val part = File(folder, "import1.part").apply { writeText("half") }
        app.parts
        assertFalse(part.exists())
    }

    @Test
    fun aModelThatDoesNotFitIsExplained() {
        Sample.test { app.parts.models.import(document("tiny.gguf", Sample.tiny().readBytes())).collect { } }
        val memory = RuntimeEnvironment.getApplication().getSystemService(android.app.ActivityManager::class.java)
        shadowOf(memory).setMemoryInfo(
            android.app.ActivityManager.MemoryInfo().apply {
                availMem = 1000
                totalMem = 2000
                threshold = 500
            },
        )
        val screen = show()
        screen.untilThere("Does not fit in memory")
        screen.touch("Details: tiny")
        screen.untilThere("Why it does not fit")
    }
}

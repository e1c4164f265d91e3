package dev.kinglet.sample.diagnose

import android.content.ClipData
import android.content.Context
import android.content.Intent
import androidx.core.content.FileProvider
import java.io.File

/** Reports as files that may be handed to another app. The folder holds nothing else, and nothing else is ever handed out. */
class ReportFiles(private val context: Context) {
    private val folder = File(context.cacheDir, "reports")

    fun write(html: String): File {
        folder.mkdirs()
        return File(folder, "kinglet-report.html").apply { writeText(html) }
    }

    /** The last one, if it is there still. */
    fun last(): File? = folder.listFiles()?.maxByOrNull { it.lastModified() }

    /** Whoever is given this may read this one file, and nothing more. */
    fun share(report: File): Intent {
        val uri = FileProvider.getUriForFile(context, "${context.packageName}.reports", report)
        return Intent(Intent.ACTION_SEND)
            .setType("text/html")
            .putExtra(Intent.EXTRA_STREAM, uri)
            .addFlags(Intent.FLAG_GRANT_READ_URI_PERMISSION)
            // The chooser passes the permission on by this.
            .apply { clipData = ClipData.newRawUri(null, uri) }
    }

    fun clear() {
        folder.deleteRecursively()
    }
}

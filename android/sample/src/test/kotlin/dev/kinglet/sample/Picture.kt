package dev.kinglet.sample

import android.app.Activity
import android.graphics.Bitmap
import android.graphics.BitmapFactory
import android.graphics.Canvas
import java.io.File
import kotlin.math.abs

/** A picture of an activity, and the one of the same name in the repository. */
class Picture(activity: Activity, private val name: String) {
    private val drawn: Bitmap = activity.window.decorView.let { view ->
        Bitmap.createBitmap(view.width, view.height, Bitmap.Config.ARGB_8888).also { view.draw(Canvas(it)) }
    }

    /** Null where both look the same, or what is different. Where pictures are to be written it is, and nothing is different. */
    fun difference(): String? {
        val kept = Sample.file("screenshots/$name.png")
        if (System.getProperty("kinglet.screenshots") == "write") {
            write(kept)
            return null
        }
        val now = Sample.file("build/screenshots/$name.png")
        write(now)
        val before = BitmapFactory.decodeFile(kept.path) ?: return "$kept is missing; -Pkinglet.screenshots=write makes it"
        if (before.width != drawn.width || before.height != drawn.height) {
            return "$name is ${drawn.width}x${drawn.height}, and was ${before.width}x${before.height}"
        }
        val mean = meanDifference(pixels(before), pixels(drawn))
        return if (mean < TOLERANCE) null else "$name differs by ${mean * 100} %: compare $kept with $now"
    }

    /** How many different colours there are: a screen that was not drawn has one. */
    val colours: Int get() = pixels(drawn).toSet().size

    private fun write(file: File) {
        file.parentFile!!.mkdirs()
        file.outputStream().use { drawn.compress(Bitmap.CompressFormat.PNG, 100, it) }
    }

    private fun pixels(bitmap: Bitmap) =
        IntArray(bitmap.width * bitmap.height).also { bitmap.getPixels(it, 0, bitmap.width, 0, 0, bitmap.width, bitmap.height) }

    private fun meanDifference(a: IntArray, b: IntArray): Double {
        var sum = 0L
        for (at in a.indices) {
            for (shift in 0..16 step 8) sum += abs((a[at] shr shift and 0xff) - (b[at] shr shift and 0xff))
        }
        return sum / (a.size * 3 * 255.0)
    }

    private companion object {
        // Letters may be drawn a little differently elsewhere; a line of text that is gone is more than that.
        const val TOLERANCE = 0.005
    }
}

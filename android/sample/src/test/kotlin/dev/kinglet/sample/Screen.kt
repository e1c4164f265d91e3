package dev.kinglet.sample

import android.app.Activity
import android.os.Looper
import android.view.View
import android.view.ViewGroup
import androidx.compose.runtime.snapshots.Snapshot
import androidx.compose.ui.ExperimentalComposeUiApi
import androidx.compose.ui.geometry.Rect
import androidx.compose.ui.geometry.Size
import androidx.compose.ui.node.RootForTest
import androidx.compose.ui.semantics.SemanticsActions
import androidx.compose.ui.semantics.SemanticsNode
import androidx.compose.ui.semantics.SemanticsProperties
import androidx.compose.ui.semantics.getAllSemanticsNodes
import androidx.compose.ui.semantics.getOrNull
import androidx.compose.ui.text.AnnotatedString
import androidx.compose.ui.text.TextLayoutResult
import org.robolectric.Shadows.shadowOf
import org.robolectric.shadows.ShadowDialog
import java.time.Duration

/**
 * What a person sees and touches, read from the semantics that TalkBack reads too.
 *
 * The main thread is turned by hand, one frame at a time: whoever lets it run until it is idle never sees a stream on its way.
 */
class Screen(private val activity: () -> Activity) {
    constructor(activity: Activity) : this({ activity })

    /** Everything that can be read, in one text for each node. */
    val texts: List<String> get() = nodes().flatMap { it.words() }

    fun has(text: String) = texts.any { text in it }

    /** Turns the main thread until this holds. */
    fun until(what: String, holds: () -> Boolean) = turnUntil({ "$what; there is: $texts" }, holds)

    fun untilThere(text: String) = until("no \"$text\"") { has(text) }

    fun untilGone(text: String) = until("still \"$text\"") { !has(text) }

    /** Touches the button, chip, card or switch that says so. */
    fun touch(label: String) {
        until("nothing to touch says \"$label\"") { clickable(label)?.let { SemanticsProperties.Disabled !in it.config } == true }
        val node = checkNotNull(clickable(label))
        checkNotNull(node.config.getOrNull(SemanticsActions.OnClick)?.action).invoke()
        turn(20)
    }

    /** The last of those that say so: in a dialog, which lies over all others. */
    fun touchLast(label: String) {
        val last = nodes().last { SemanticsActions.OnClick in it.config && it.spoken() == label }
        checkNotNull(last.config[SemanticsActions.OnClick].action).invoke()
        turn(20)
    }

    fun isEnabled(label: String) = SemanticsProperties.Disabled !in checkNotNull(clickable(label)) { "no \"$label\" in $texts" }.config

    fun canTouch(label: String) = clickable(label) != null

    /** Types into the field of that name. */
    fun type(label: String, text: String) {
        until("no field \"$label\"") { field(label) != null }
        checkNotNull(checkNotNull(field(label)).config.getOrNull(SemanticsActions.SetText)?.action).invoke(AnnotatedString(text))
        turn(20)
    }

    /** What stands in the field of that name. */
    fun typed(label: String): String = checkNotNull(field(label)).config[SemanticsProperties.EditableText].text

    fun clickables(): List<Touchable> = nodes().filter { SemanticsActions.OnClick in it.config }
        .map { Touchable(it.spoken(), it.unclippedBounds(), it.touchBoundsInRoot, layouts(it)) }

    /** Something to touch: what is said of it, where it is drawn even if one has to scroll, and where it can be touched. */
    class Touchable(val label: String, val bounds: Rect, val touch: Rect, val layouts: List<TextLayoutResult>)

    private fun clickable(label: String): SemanticsNode? {
        val all = nodes().filter { SemanticsActions.OnClick in it.config }
        return all.firstOrNull { it.spoken() == label } ?: all.firstOrNull { label in it.spoken() }
    }

    private fun field(label: String) = nodes().firstOrNull { SemanticsActions.SetText in it.config && label in it.spoken() }

    private fun nodes(): List<SemanticsNode> = roots().flatMap { it.semanticsOwner.getAllSemanticsNodes(mergingEnabled = true) }

    private fun layouts(node: SemanticsNode): List<TextLayoutResult> {
        val own = mutableListOf<TextLayoutResult>()
        node.config.getOrNull(SemanticsActions.GetTextLayoutResult)?.action?.invoke(own)
        return own
    }

    /** The activity's window, and dialogs over it. */
    @OptIn(ExperimentalComposeUiApi::class)
    private fun roots(): List<RootForTest> {
        val windows = listOf(activity().window.decorView) + shadowDialogs()
        // Compose measures when it draws, and nobody draws here.
        return windows.flatMap { it.roots() }.onEach { it.measureAndLayoutForTest() }
    }

    private fun shadowDialogs(): List<View> = listOfNotNull(ShadowDialog.getLatestDialog()?.takeIf { it.isShowing }?.window?.decorView)

    private fun View.roots(): List<RootForTest> = when (this) {
        is RootForTest -> listOf(this)
        is ViewGroup -> (0 until childCount).flatMap { getChildAt(it).roots() }
        else -> emptyList()
    }

    companion object {
        // Only what is broken waits so long; a busy machine takes its time.
        private const val PATIENCE = 60L
        private val FRAME: Duration = Duration.ofMillis(16)

        /** Runs what waits on the main thread, one frame at a time, until this holds. */
        fun turnUntil(what: () -> String, holds: () -> Boolean) {
            val deadline = System.nanoTime() + Duration.ofSeconds(PATIENCE).toNanos()
            while (!holds()) {
                if (System.nanoTime() > deadline) throw AssertionError(what())
                turnOnce()
            }
        }

        /** Lets so many milliseconds pass. */
        fun turn(milliseconds: Int) {
            val end = System.nanoTime() + Duration.ofMillis(milliseconds.toLong()).toNanos()
            while (System.nanoTime() < end) turnOnce()
        }

        private fun turnOnce() {
            // Frames come by this clock alone (Compose.forProcess), so that a movement without an end ends here.
            // The watcher of states that does this usually may be that of an earlier test.
            Snapshot.sendApplyNotifications()
            shadowOf(Looper.getMainLooper()).idleFor(FRAME)
            Thread.sleep(1)
        }
    }
}

private fun SemanticsNode.words(): List<String> = config.run {
    getOrNull(SemanticsProperties.ContentDescription).orEmpty() +
        getOrNull(SemanticsProperties.Text).orEmpty().map { it.text } +
        listOfNotNull(getOrNull(SemanticsProperties.EditableText)?.text)
}

/** What TalkBack says of it. */
private fun SemanticsNode.spoken(): String = config.run {
    getOrNull(SemanticsProperties.ContentDescription).orEmpty() + getOrNull(SemanticsProperties.Text).orEmpty().map { it.text }
}.joinToString()

private fun SemanticsNode.unclippedBounds() = Rect(positionInRoot, Size(size.width.toFloat(), size.height.toFloat()))

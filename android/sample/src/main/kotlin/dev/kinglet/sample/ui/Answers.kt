package dev.kinglet.sample.ui

import androidx.compose.animation.animateContentSize
import androidx.compose.foundation.layout.Column
import androidx.compose.foundation.layout.fillMaxWidth
import androidx.compose.foundation.text.selection.SelectionContainer
import androidx.compose.material3.Button
import androidx.compose.material3.CardDefaults
import androidx.compose.material3.LinearProgressIndicator
import androidx.compose.material3.MaterialTheme
import androidx.compose.material3.OutlinedButton
import androidx.compose.material3.Text
import androidx.compose.material3.TextButton
import androidx.compose.runtime.Composable
import androidx.compose.ui.Modifier
import androidx.compose.ui.platform.LocalContext
import androidx.compose.ui.res.stringResource
import androidx.compose.ui.semantics.LiveRegionMode
import androidx.compose.ui.semantics.contentDescription
import androidx.compose.ui.semantics.liveRegion
import androidx.compose.ui.semantics.semantics
import dev.kinglet.Stats
import dev.kinglet.ThrottleReason
import dev.kinglet.sample.R
import dev.kinglet.sample.engine.Live
import dev.kinglet.sample.engine.Note
import dev.kinglet.sample.engine.Problem
import java.text.NumberFormat

/** A text that grows. [loading] is how far the model is on its way, if it is. */
@Composable
fun Growing(live: Live, loading: Float?, stop: () -> Unit) {
    Column(Modifier.fillMaxWidth().animateContentSize()) {
        if (live.text.isNotEmpty()) {
            SelectionContainer {
                // Read out when it has ended, not word by word.
                val spoken = if (live.running) Modifier else Modifier.semantics { liveRegion = LiveRegionMode.Polite }
                Text(live.text, spoken, style = MaterialTheme.typography.bodyLarge)
            }
        }
    }
    live.note?.let { Quiet(it.words()) }
    if (live.running) Working(loading, stop)
    live.stats?.let { Quiet(it.words()) }
}

/** Something takes its time and can be stopped. */
@Composable
fun Working(loading: Float?, stop: () -> Unit) {
    val working = stringResource(R.string.working)
    if (loading != null) {
        LinearProgressIndicator({ loading }, Modifier.fillMaxWidth())
        Quiet(stringResource(R.string.loading_model, (loading * 100).toInt()))
    } else {
        LinearProgressIndicator(Modifier.fillMaxWidth().semantics { contentDescription = working })
    }
    OutlinedButton(stop) { Text(stringResource(R.string.stop)) }
}

/** What did not work, and the way out where there is one. */
@Composable
fun ProblemCard(problem: Problem, toModels: (() -> Unit)? = null, dismiss: (() -> Unit)? = null) {
    val scheme = MaterialTheme.colorScheme
    val colors = if (problem is Problem.NoModel) {
        CardDefaults.cardColors(scheme.tertiaryContainer, scheme.onTertiaryContainer)
    } else {
        CardDefaults.cardColors(scheme.errorContainer, scheme.onErrorContainer)
    }
    Notice(problem.words(), colors) {
        if (problem is Problem.NoModel && toModels != null) Button(toModels) { Text(stringResource(R.string.to_models)) }
        if (dismiss != null) TextButton(dismiss) { Text(stringResource(R.string.dismiss), color = colors.contentColor) }
    }
}

@Composable
fun Problem.words(): String {
    val context = LocalContext.current
    return when (this) {
        Problem.NoModel -> stringResource(R.string.problem_no_model)
        is Problem.NoRoom -> stringResource(R.string.problem_no_room, context.size(needed), context.size(free))
        is Problem.Said -> message
    }
}

@Composable
fun Note.words(): String = when (this) {
    is Note.Part -> stringResource(R.string.note_part, part, parts)
    is Note.Switched -> stringResource(R.string.note_switched, to.uppercase())
    is Note.Throttled -> when (why) {
        ThrottleReason.NONE -> ""
        ThrottleReason.BATTERY_SAVER -> stringResource(R.string.note_battery_saver)
        ThrottleReason.WARM, ThrottleReason.HOT -> stringResource(R.string.note_warm)
    }
}

@Composable
fun Stats.words(): String {
    val speed = tokensPerSecond ?: return stringResource(R.string.stats_no_speed, tokens, device.uppercase())
    return stringResource(R.string.stats, tokens, speed(speed), device.uppercase())
}

/** Tokens a second, with as many digits as mean something. */
fun speed(perSecond: Double): String =
    NumberFormat.getNumberInstance().apply { maximumFractionDigits = if (perSecond < 10) 1 else 0 }.format(perSecond)

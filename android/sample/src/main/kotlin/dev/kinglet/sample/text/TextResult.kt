package dev.kinglet.sample.text

import androidx.compose.foundation.text.selection.SelectionContainer
import androidx.compose.material3.Button
import androidx.compose.material3.CardDefaults
import androidx.compose.material3.MaterialTheme
import androidx.compose.material3.Text
import androidx.compose.material3.TextButton
import androidx.compose.runtime.Composable
import androidx.compose.ui.platform.LocalClipboardManager
import androidx.compose.ui.platform.LocalContext
import androidx.compose.ui.res.stringResource
import androidx.compose.ui.text.AnnotatedString
import dev.kinglet.sample.R
import dev.kinglet.sample.ui.Buttons
import dev.kinglet.sample.ui.Fact
import dev.kinglet.sample.ui.Growing
import dev.kinglet.sample.ui.ProblemCard
import dev.kinglet.sample.ui.Quiet
import dev.kinglet.sample.ui.Section
import dev.kinglet.sample.ui.shareText
import dev.kinglet.sample.ui.words

/** Nothing was asked for yet. */
val TextState.isEmpty: Boolean get() = outcome == null && !live.running && live.text.isEmpty() && live.problem == null

/** What comes out, as it comes, and what can be done with it. */
@Composable
fun TextResult(state: TextState, loading: Float?, act: TextActions) {
    state.live.problem?.let { ProblemCard(it, act.toModels) }
    val outcome = state.outcome
    val scheme = MaterialTheme.colorScheme
    val colors = CardDefaults.cardColors(scheme.primaryContainer, scheme.onPrimaryContainer)
    when {
        outcome != null -> Section(stringResource(R.string.result), colors) {
            Lines(outcome, act.putBack)
            state.live.stats?.let { Quiet(it.words()) }
        }
        state.live.running || state.live.text.isNotEmpty() -> Section(stringResource(R.string.result), colors) {
            Growing(state.live, loading, act.stop)
            // Stopped on the way: what there is can be used.
            if (!state.live.running) ResultButtons(state.live.text, act.putBack)
        }
    }
}

@Composable
private fun Lines(outcome: Outcome, putBack: ((String) -> Unit)?) {
    val nothing = stringResource(R.string.nothing_found)
    outcome.lines.forEach { line ->
        if (line.name.isEmpty()) {
            SelectionContainer { Text(line.value.orEmpty(), style = MaterialTheme.typography.bodyLarge) }
        } else {
            Fact(line.name, line.value ?: nothing)
        }
        // Each suggestion is an answer of its own.
        if (outcome.task == TextTask.REPLY) ResultButtons(line.value.orEmpty(), putBack)
    }
    if (outcome.task != TextTask.REPLY) ResultButtons(outcome.text, putBack)
}

@Composable
private fun ResultButtons(text: String, putBack: ((String) -> Unit)?) {
    val clipboard = LocalClipboardManager.current
    val context = LocalContext.current
    val color = MaterialTheme.colorScheme.onPrimaryContainer
    Buttons {
        if (putBack != null) Button({ putBack(text) }) { Text(stringResource(R.string.put_back)) }
        TextButton({ clipboard.setText(AnnotatedString(text)) }) { Text(stringResource(R.string.copy), color = color) }
        TextButton({ context.shareText(text) }) { Text(stringResource(R.string.share), color = color) }
    }
}

package dev.kinglet.sample.models

import androidx.compose.foundation.layout.Arrangement
import androidx.compose.foundation.layout.Column
import androidx.compose.foundation.layout.Row
import androidx.compose.foundation.layout.fillMaxWidth
import androidx.compose.foundation.text.selection.SelectionContainer
import androidx.compose.material3.Button
import androidx.compose.material3.CardDefaults
import androidx.compose.material3.LinearProgressIndicator
import androidx.compose.material3.MaterialTheme
import androidx.compose.material3.Text
import androidx.compose.material3.TextButton
import androidx.compose.runtime.Composable
import androidx.compose.runtime.getValue
import androidx.compose.runtime.mutableStateOf
import androidx.compose.runtime.saveable.rememberSaveable
import androidx.compose.runtime.setValue
import androidx.compose.ui.Modifier
import androidx.compose.ui.platform.LocalContext
import androidx.compose.ui.res.stringResource
import androidx.compose.ui.semantics.clearAndSetSemantics
import androidx.compose.ui.semantics.semantics
import androidx.compose.ui.text.font.FontFamily
import androidx.compose.ui.unit.dp
import dev.kinglet.Fit
import dev.kinglet.sample.R
import dev.kinglet.sample.ui.Buttons
import dev.kinglet.sample.ui.Confirm
import dev.kinglet.sample.ui.Fact
import dev.kinglet.sample.ui.ProblemCard
import dev.kinglet.sample.ui.Section
import dev.kinglet.sample.ui.size
import java.text.NumberFormat

/** What a model is, what it needs, and why it does not fit if it does not. */
@Composable
fun ModelDetail(entry: ModelEntry, act: ModelsActions) {
    val model = entry.model
    entry.problem?.let { ProblemCard(it) }
    entry.fit?.let { FitSection(it) }
    Section(stringResource(R.string.file)) {
        Fact(model.file.name, entry.size())
        entry.info?.let {
            Fact(stringResource(R.string.family), it.architecture)
            val tokens = NumberFormat.getIntegerInstance().format(it.trainedContext)
            Fact(stringResource(R.string.trained_context), stringResource(R.string.tokens, tokens))
        }
        Hash(model.sha256)
    }
    ModelButtons(entry, act)
}

@Composable
private fun ModelButtons(entry: ModelEntry, act: ModelsActions) {
    var asking by rememberSaveable { mutableStateOf(false) }
    Buttons {
        if (!entry.chosen) Button({ act.choose(entry.model) }) { Text(stringResource(R.string.model_use)) }
        TextButton({ asking = true }) { Text(stringResource(R.string.delete), color = MaterialTheme.colorScheme.error) }
    }
    if (asking) {
        val what = stringResource(R.string.delete_model_what, entry.model.name)
        Confirm(stringResource(R.string.delete_model_title), what, R.string.delete, { asking = false }) { act.delete(entry.model) }
    }
}

@Composable
private fun FitSection(fit: Fit) {
    if (!fit.fits) {
        val scheme = MaterialTheme.colorScheme
        Section(stringResource(R.string.memory_why), CardDefaults.cardColors(scheme.errorContainer, scheme.onErrorContainer)) {
            Text(fit.reason.orEmpty())
        }
    }
    Section(stringResource(R.string.memory)) {
        FitLine(fit)
        val available = fit.available.takeIf { it < Long.MAX_VALUE }
        val most = maxOf(fit.plan.total, available ?: 0, 1)
        Bar(stringResource(R.string.memory_weights), fit.plan.weights, most)
        Bar(stringResource(R.string.memory_kv), fit.plan.kv, most)
        Bar(stringResource(R.string.memory_scratch), fit.plan.scratch, most)
        Bar(stringResource(R.string.memory_total), fit.plan.total, most)
        available?.let { Bar(stringResource(R.string.memory_available), it, most) }
    }
}

/** An amount, as long as its part of the largest one. */
@Composable
private fun Bar(name: String, bytes: Long, most: Long) {
    Column(Modifier.fillMaxWidth().semantics(mergeDescendants = true) {}, Arrangement.spacedBy(2.dp)) {
        Row(Modifier.fillMaxWidth(), Arrangement.SpaceBetween) {
            Text(name, style = MaterialTheme.typography.bodyMedium)
            Text(LocalContext.current.size(bytes), style = MaterialTheme.typography.bodyMedium)
        }
        // The number says it.
        LinearProgressIndicator({ bytes.toFloat() / most }, Modifier.fillMaxWidth().clearAndSetSemantics {}, drawStopIndicator = {})
    }
}

@Composable
fun FitLine(fit: Fit) {
    val scheme = MaterialTheme.colorScheme
    Text(
        stringResource(if (fit.fits) R.string.model_fits else R.string.model_fits_not),
        color = if (fit.fits) scheme.primary else scheme.error,
        style = MaterialTheme.typography.labelLarge,
    )
}

@Composable
private fun Hash(sha256: String) {
    Column {
        Text(
            stringResource(R.string.sha256),
            color = MaterialTheme.colorScheme.onSurfaceVariant,
            style = MaterialTheme.typography.labelMedium,
        )
        SelectionContainer {
            // In groups, so that it can be compared by eye.
            Text(sha256.chunked(8).joinToString(" "), fontFamily = FontFamily.Monospace, style = MaterialTheme.typography.bodySmall)
        }
    }
}

/** How many parameters in how many bytes. */
@Composable
fun ModelEntry.size(): String {
    val bytes = LocalContext.current.size(model.bytes)
    val parameters = info?.parameters ?: return bytes
    return stringResource(R.string.model_parameters, short(parameters), bytes)
}

private fun short(number: Long): String {
    val format = NumberFormat.getNumberInstance().apply { maximumFractionDigits = 1 }
    return when {
        number >= 1_000_000_000 -> format.format(number / 1e9) + " B"
        number >= 1_000_000 -> format.format(number / 1e6) + " M"
        else -> format.format(number)
    }
}

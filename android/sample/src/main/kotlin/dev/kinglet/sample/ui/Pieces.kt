package dev.kinglet.sample.ui

import androidx.annotation.StringRes
import androidx.compose.foundation.layout.Arrangement
import androidx.compose.foundation.layout.Column
import androidx.compose.foundation.layout.ColumnScope
import androidx.compose.foundation.layout.ExperimentalLayoutApi
import androidx.compose.foundation.layout.FlowRow
import androidx.compose.foundation.layout.fillMaxWidth
import androidx.compose.foundation.layout.padding
import androidx.compose.foundation.selection.selectableGroup
import androidx.compose.material3.AlertDialog
import androidx.compose.material3.Card
import androidx.compose.material3.CardColors
import androidx.compose.material3.CardDefaults
import androidx.compose.material3.FilterChip
import androidx.compose.material3.MaterialTheme
import androidx.compose.material3.Text
import androidx.compose.material3.TextButton
import androidx.compose.runtime.Composable
import androidx.compose.runtime.DisposableEffect
import androidx.compose.ui.Alignment
import androidx.compose.ui.Modifier
import androidx.compose.ui.platform.LocalContext
import androidx.compose.ui.res.stringResource
import androidx.compose.ui.semantics.heading
import androidx.compose.ui.semantics.semantics
import androidx.compose.ui.unit.dp
import dev.kinglet.sample.R

/** Things that belong together, under a heading. */
@Composable
fun Section(title: String, colors: CardColors = CardDefaults.cardColors(), content: @Composable ColumnScope.() -> Unit) {
    Card(Modifier.fillMaxWidth(), colors = colors) {
        Column(Modifier.fillMaxWidth().padding(16.dp), Arrangement.spacedBy(8.dp)) {
            Heading(title)
            content()
        }
    }
}

@Composable
fun Heading(text: String) = Text(text, Modifier.semantics { heading() }, style = MaterialTheme.typography.titleMedium)

/** Something said beside the matter. */
@Composable
fun Quiet(text: String, modifier: Modifier = Modifier) =
    Text(text, modifier, color = MaterialTheme.colorScheme.onSurfaceVariant, style = MaterialTheme.typography.bodyMedium)

/** A fact and its name. They are read out together. */
@Composable
fun Fact(name: String, value: String) {
    Column(Modifier.fillMaxWidth().semantics(mergeDescendants = true) {}) {
        Text(name, color = MaterialTheme.colorScheme.onSurfaceVariant, style = MaterialTheme.typography.labelMedium)
        Text(value, style = MaterialTheme.typography.bodyMedium)
    }
}

/** Buttons and chips, on as many lines as large letters need. */
@OptIn(ExperimentalLayoutApi::class)
@Composable
fun Buttons(modifier: Modifier = Modifier, content: @Composable () -> Unit) = FlowRow(
    modifier.fillMaxWidth(),
    Arrangement.spacedBy(8.dp),
    Arrangement.spacedBy(4.dp, Alignment.CenterVertically),
) { content() }

/** One of several. */
@Composable
fun <T> Choice(options: List<T>, chosen: T, label: @Composable (T) -> String, enabled: Boolean = true, choose: (T) -> Unit) {
    Buttons(Modifier.selectableGroup()) {
        options.forEach { FilterChip(it == chosen, { choose(it) }, { Text(label(it)) }, enabled = enabled) }
    }
}

/** Asks before something that cannot be undone. */
@Composable
fun Confirm(title: String, text: String, @StringRes yes: Int, done: () -> Unit, act: () -> Unit) = AlertDialog(
    onDismissRequest = done,
    title = { Text(title) },
    text = { Text(text) },
    confirmButton = {
        TextButton({
            done()
            act()
        }) { Text(stringResource(yes), color = MaterialTheme.colorScheme.error) }
    },
    dismissButton = { TextButton(done) { Text(stringResource(R.string.cancel)) } },
)

/** Calls [stop] when the screen is left, but not when the device is only turned. */
@Composable
fun OnLeave(stop: () -> Unit) {
    val activity = LocalContext.current.activity()
    DisposableEffect(Unit) {
        onDispose { if (activity?.isChangingConfigurations != true) stop() }
    }
}

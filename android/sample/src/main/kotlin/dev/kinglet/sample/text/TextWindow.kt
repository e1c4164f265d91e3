package dev.kinglet.sample.text

import androidx.compose.foundation.background
import androidx.compose.foundation.gestures.detectTapGestures
import androidx.compose.foundation.layout.Arrangement
import androidx.compose.foundation.layout.Box
import androidx.compose.foundation.layout.Column
import androidx.compose.foundation.layout.Row
import androidx.compose.foundation.layout.fillMaxSize
import androidx.compose.foundation.layout.fillMaxWidth
import androidx.compose.foundation.layout.padding
import androidx.compose.foundation.layout.safeDrawingPadding
import androidx.compose.foundation.layout.widthIn
import androidx.compose.foundation.rememberScrollState
import androidx.compose.foundation.verticalScroll
import androidx.compose.material3.Icon
import androidx.compose.material3.IconButton
import androidx.compose.material3.MaterialTheme
import androidx.compose.material3.Surface
import androidx.compose.material3.Text
import androidx.compose.runtime.Composable
import androidx.compose.ui.Alignment
import androidx.compose.ui.Modifier
import androidx.compose.ui.graphics.Color
import androidx.compose.ui.input.pointer.pointerInput
import androidx.compose.ui.res.painterResource
import androidx.compose.ui.res.stringResource
import androidx.compose.ui.semantics.heading
import androidx.compose.ui.semantics.semantics
import androidx.compose.ui.text.style.TextOverflow
import androidx.compose.ui.unit.dp
import dev.kinglet.sample.R

/** A sheet over the app that the text is from. */
@Composable
fun TextWindow(state: TextState, loading: Float?, act: TextActions, close: () -> Unit) {
    Box(
        // The button at the top closes it for those who do not see where the sheet ends.
        Modifier.fillMaxSize().background(Color.Black.copy(alpha = 0.4f)).pointerInput(close) { detectTapGestures { close() } },
        Alignment.BottomCenter,
    ) {
        Surface(
            Modifier.safeDrawingPadding().padding(8.dp).widthIn(max = 640.dp).pointerInput(Unit) { detectTapGestures { } },
            MaterialTheme.shapes.extraLarge,
            MaterialTheme.colorScheme.surfaceContainerLow,
        ) {
            Column(
                Modifier.verticalScroll(rememberScrollState()).padding(20.dp, 8.dp, 20.dp, 20.dp),
                Arrangement.spacedBy(12.dp),
            ) {
                TitleRow(close)
                Text(
                    state.form.input,
                    color = MaterialTheme.colorScheme.onSurfaceVariant,
                    maxLines = 3,
                    overflow = TextOverflow.Ellipsis,
                    style = MaterialTheme.typography.bodyMedium,
                )
                TextChoices(state.form, act)
                StartButton(state, act)
                TextResult(state, loading, act)
            }
        }
    }
}

@Composable
private fun TitleRow(close: () -> Unit) {
    Row(Modifier.fillMaxWidth(), verticalAlignment = Alignment.CenterVertically) {
        val title = stringResource(R.string.window_title)
        Text(title, Modifier.weight(1f).semantics { heading() }, style = MaterialTheme.typography.titleLarge)
        IconButton(close) { Icon(painterResource(R.drawable.ic_close), stringResource(R.string.close)) }
    }
}

package dev.kinglet.sample.ui

import androidx.compose.foundation.layout.Arrangement
import androidx.compose.foundation.layout.Column
import androidx.compose.foundation.layout.fillMaxWidth
import androidx.compose.foundation.layout.padding
import androidx.compose.material3.Card
import androidx.compose.material3.CardColors
import androidx.compose.material3.Text
import androidx.compose.runtime.Composable
import androidx.compose.ui.Modifier
import androidx.compose.ui.semantics.LiveRegionMode
import androidx.compose.ui.semantics.liveRegion
import androidx.compose.ui.semantics.semantics
import androidx.compose.ui.unit.dp

/** Something that a person should see now, with what they can do about it. It is read out when it appears. */
@Composable
fun Notice(text: String, colors: CardColors, buttons: @Composable () -> Unit) {
    Card(Modifier.fillMaxWidth(), colors = colors) {
        Column(Modifier.padding(16.dp), Arrangement.spacedBy(8.dp)) {
            Text(text, Modifier.semantics { liveRegion = LiveRegionMode.Polite })
            Buttons(content = buttons)
        }
    }
}

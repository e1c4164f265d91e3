package dev.kinglet.sample.digest

import androidx.compose.foundation.layout.Arrangement
import androidx.compose.foundation.layout.Column
import androidx.compose.foundation.layout.fillMaxWidth
import androidx.compose.foundation.layout.padding
import androidx.compose.foundation.layout.size
import androidx.compose.material3.Button
import androidx.compose.material3.Card
import androidx.compose.material3.CardDefaults
import androidx.compose.material3.Icon
import androidx.compose.material3.MaterialTheme
import androidx.compose.material3.Text
import androidx.compose.runtime.Composable
import androidx.compose.ui.Modifier
import androidx.compose.ui.res.painterResource
import androidx.compose.ui.res.stringResource
import androidx.compose.ui.semantics.heading
import androidx.compose.ui.semantics.semantics
import androidx.compose.ui.unit.dp
import dev.kinglet.sample.R
import dev.kinglet.sample.ui.Section

/** What will be read and where it stays, before anything is. */
@Composable
fun ConsentCard(agree: () -> Unit) {
    Card(Modifier.fillMaxWidth()) {
        Column(Modifier.padding(24.dp), Arrangement.spacedBy(16.dp)) {
            Icon(painterResource(R.drawable.ic_bird), null, Modifier.size(48.dp), MaterialTheme.colorScheme.primary)
            Text(
                stringResource(R.string.consent_title),
                Modifier.semantics { heading() },
                style = MaterialTheme.typography.headlineSmall,
            )
            listOf(R.string.consent_what, R.string.consent_where, R.string.consent_not, R.string.consent_end).forEach {
                Text(stringResource(it), style = MaterialTheme.typography.bodyLarge)
            }
            Button(agree) { Text(stringResource(R.string.consent_agree)) }
        }
    }
}

/** The system has to agree too. */
@Composable
fun AccessCard(open: () -> Unit) {
    val scheme = MaterialTheme.colorScheme
    Section(stringResource(R.string.access_title), CardDefaults.cardColors(scheme.tertiaryContainer, scheme.onTertiaryContainer)) {
        Text(stringResource(R.string.access_what))
        Button(open) { Text(stringResource(R.string.access_open)) }
    }
}

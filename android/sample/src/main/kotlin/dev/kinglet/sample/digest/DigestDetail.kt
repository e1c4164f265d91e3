package dev.kinglet.sample.digest

import androidx.compose.foundation.layout.Column
import androidx.compose.foundation.layout.fillMaxWidth
import androidx.compose.foundation.text.selection.SelectionContainer
import androidx.compose.material3.CardDefaults
import androidx.compose.material3.MaterialTheme
import androidx.compose.material3.Text
import androidx.compose.material3.TextButton
import androidx.compose.runtime.Composable
import androidx.compose.ui.Modifier
import androidx.compose.ui.platform.LocalContext
import androidx.compose.ui.res.pluralStringResource
import androidx.compose.ui.res.stringResource
import androidx.compose.ui.semantics.semantics
import dev.kinglet.StoredDigest
import dev.kinglet.sample.R
import dev.kinglet.sample.ui.Buttons
import dev.kinglet.sample.ui.Fact
import dev.kinglet.sample.ui.Quiet
import dev.kinglet.sample.ui.Section
import dev.kinglet.sample.ui.moment
import dev.kinglet.sample.ui.shareText

/** Why a digest says what it says. */
@Composable
fun DigestDetail(digest: StoredDigest?, delete: (Long) -> Unit) {
    if (digest == null) {
        Quiet(stringResource(R.string.digest_deleted))
        return
    }
    val context = LocalContext.current
    val scheme = MaterialTheme.colorScheme
    Section(moment(digest.madeAt), CardDefaults.cardColors(scheme.primaryContainer, scheme.onPrimaryContainer)) {
        SelectionContainer { Text(digest.text, style = MaterialTheme.typography.bodyLarge) }
        Buttons {
            TextButton({ context.shareText(digest.text) }) { Text(stringResource(R.string.share), color = scheme.onPrimaryContainer) }
            TextButton({ delete(digest.id) }) { Text(stringResource(R.string.delete), color = scheme.onPrimaryContainer) }
        }
    }
    if (digest.groups.isNotEmpty()) {
        Section(stringResource(R.string.why_apps)) {
            digest.groups.forEach { Fact(pluralStringResource(R.plurals.group, it.count, it.app, it.count), it.summary) }
        }
    }
    Section(stringResource(R.string.why_made_of)) {
        digest.notifications.forEach { notification ->
            Column(Modifier.fillMaxWidth().semantics(mergeDescendants = true) {}) {
                val from = listOf(notification.app, notification.title).filter { it.isNotEmpty() }.joinToString(" · ")
                Text(from, color = scheme.primary, style = MaterialTheme.typography.labelLarge)
                Text(notification.text, style = MaterialTheme.typography.bodyMedium)
            }
        }
    }
}

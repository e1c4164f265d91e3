package dev.kinglet.sample.digest

import androidx.compose.foundation.layout.Arrangement
import androidx.compose.foundation.layout.Column
import androidx.compose.foundation.layout.Row
import androidx.compose.foundation.layout.Spacer
import androidx.compose.foundation.layout.fillMaxWidth
import androidx.compose.foundation.layout.padding
import androidx.compose.foundation.layout.size
import androidx.compose.foundation.layout.width
import androidx.compose.material3.Badge
import androidx.compose.material3.Button
import androidx.compose.material3.CardDefaults
import androidx.compose.material3.MaterialTheme
import androidx.compose.material3.OutlinedCard
import androidx.compose.material3.Text
import androidx.compose.material3.TextButton
import androidx.compose.runtime.Composable
import androidx.compose.runtime.getValue
import androidx.compose.runtime.mutableStateOf
import androidx.compose.runtime.saveable.rememberSaveable
import androidx.compose.runtime.setValue
import androidx.compose.ui.Alignment
import androidx.compose.ui.Modifier
import androidx.compose.ui.res.pluralStringResource
import androidx.compose.ui.res.stringResource
import androidx.compose.ui.semantics.contentDescription
import androidx.compose.ui.semantics.semantics
import androidx.compose.ui.text.style.TextOverflow
import androidx.compose.ui.unit.dp
import dev.kinglet.NotificationText
import dev.kinglet.StoredDigest
import dev.kinglet.sample.R
import dev.kinglet.sample.engine.Live
import dev.kinglet.sample.ui.Buttons
import dev.kinglet.sample.ui.Growing
import dev.kinglet.sample.ui.Heading
import dev.kinglet.sample.ui.ProblemCard
import dev.kinglet.sample.ui.Quiet
import dev.kinglet.sample.ui.Section
import dev.kinglet.sample.ui.moment

/** What waits, the digest that is made, and those made before. */
@Composable
fun DigestList(state: DigestState, loading: Float?, act: DigestActions) {
    if (!state.access) AccessCard(act.openAccess)
    state.live.problem?.let { ProblemCard(it, act.toModels, act.dismiss) }
    if (state.live.running || state.live.text.isNotEmpty()) LiveDigest(state.live, loading, act)
    WaitingCard(state, act)
    Heading(stringResource(R.string.earlier))
    if (state.history.isEmpty()) Quiet(stringResource(R.string.earlier_none))
    state.history.forEach { DigestCard(it, it.id > state.read) { act.open(it.id) } }
}

@Composable
private fun LiveDigest(live: Live, loading: Float?, act: DigestActions) {
    val scheme = MaterialTheme.colorScheme
    Section(stringResource(R.string.digest_now), CardDefaults.cardColors(scheme.primaryContainer, scheme.onPrimaryContainer)) {
        Growing(live, loading, act.stop)
        if (!live.running) TextButton(act.dismiss) { Text(stringResource(R.string.close), color = scheme.onPrimaryContainer) }
    }
}

@Composable
private fun WaitingCard(state: DigestState, act: DigestActions) {
    val count = state.waiting.size
    if (count == 0) {
        Quiet(stringResource(R.string.waiting_none))
        return
    }
    var begun by rememberSaveable { mutableStateOf(false) }
    Section(pluralStringResource(R.plurals.waiting, count, count)) {
        state.waiting.takeLast(SHOWN).reversed().forEach { Waiting(it) }
        if (count > SHOWN) Quiet(stringResource(R.string.waiting_more, count - SHOWN))
        Buttons {
            Button(act.make, enabled = !state.live.running) { Text(stringResource(R.string.make_digest)) }
            TextButton({
                act.makeInBackground()
                begun = true
            }, enabled = !state.live.running && !begun) { Text(stringResource(R.string.make_in_background)) }
        }
        if (begun) Quiet(stringResource(R.string.background_begun))
    }
}

@Composable
private fun Waiting(notification: NotificationText) {
    Column(Modifier.fillMaxWidth().semantics(mergeDescendants = true) {}) {
        val from = listOf(notification.app, notification.title).filter { it.isNotEmpty() }.joinToString(" · ")
        Text(from, color = MaterialTheme.colorScheme.primary, style = MaterialTheme.typography.labelLarge)
        Text(notification.text, maxLines = 2, overflow = TextOverflow.Ellipsis, style = MaterialTheme.typography.bodyMedium)
    }
}

@Composable
private fun DigestCard(digest: StoredDigest, unread: Boolean, open: () -> Unit) {
    OutlinedCard(open, Modifier.fillMaxWidth()) {
        Column(Modifier.padding(16.dp), Arrangement.spacedBy(4.dp)) {
            Row(verticalAlignment = Alignment.CenterVertically) {
                if (unread) UnreadDot()
                Quiet(moment(digest.madeAt))
            }
            Text(digest.text, maxLines = 4, overflow = TextOverflow.Ellipsis)
            val count = digest.notifications.size
            Quiet(pluralStringResource(R.plurals.digest_of, count, count))
        }
    }
}

@Composable
private fun UnreadDot() {
    val unread = stringResource(R.string.unread)
    Badge(Modifier.size(10.dp).semantics { contentDescription = unread }, MaterialTheme.colorScheme.tertiary)
    Spacer(Modifier.width(8.dp))
}

private const val SHOWN = 4

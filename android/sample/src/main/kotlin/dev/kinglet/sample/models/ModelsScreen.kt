package dev.kinglet.sample.models

import androidx.activity.compose.BackHandler
import androidx.activity.compose.rememberLauncherForActivityResult
import androidx.activity.result.contract.ActivityResultContracts.OpenDocument
import androidx.compose.foundation.layout.Arrangement
import androidx.compose.foundation.layout.Column
import androidx.compose.foundation.layout.fillMaxWidth
import androidx.compose.foundation.layout.padding
import androidx.compose.material3.Button
import androidx.compose.material3.Card
import androidx.compose.material3.LinearProgressIndicator
import androidx.compose.material3.MaterialTheme
import androidx.compose.material3.OutlinedButton
import androidx.compose.material3.Text
import androidx.compose.material3.TextButton
import androidx.compose.runtime.Composable
import androidx.compose.runtime.getValue
import androidx.compose.ui.Modifier
import androidx.compose.ui.platform.LocalContext
import androidx.compose.ui.res.stringResource
import androidx.compose.ui.semantics.contentDescription
import androidx.compose.ui.semantics.semantics
import androidx.compose.ui.unit.dp
import androidx.lifecycle.Lifecycle
import androidx.lifecycle.compose.LifecycleEventEffect
import androidx.lifecycle.compose.collectAsStateWithLifecycle
import dev.kinglet.sample.R
import dev.kinglet.sample.ui.Buttons
import dev.kinglet.sample.ui.Heading
import dev.kinglet.sample.ui.Page
import dev.kinglet.sample.ui.ProblemCard
import dev.kinglet.sample.ui.Quiet
import dev.kinglet.sample.ui.size
import dev.kinglet.sample.ui.twoPanes

/** What the models' pages can ask for. */
class ModelsActions(
    val pick: () -> Unit,
    val stopImport: () -> Unit,
    val dismiss: () -> Unit,
    val choose: (StoredModel) -> Unit,
    val open: (StoredModel) -> Unit,
    val back: () -> Unit,
    val delete: (StoredModel) -> Unit,
)

@Composable
fun ModelsScreen(model: ModelsViewModel) {
    val state by model.state.collectAsStateWithLifecycle()
    // Most sources know no type for GGUF.
    val picker = rememberLauncherForActivityResult(OpenDocument()) { it?.let(model::import) }
    LifecycleEventEffect(Lifecycle.Event.ON_RESUME) { model.look() }
    BackHandler(state.open != null) { model.back() }
    ModelsPages(
        state,
        ModelsActions(
            pick = { picker.launch(arrayOf("*/*")) },
            stopImport = model::stopImport,
            dismiss = model::dismiss,
            choose = model::choose,
            open = model::open,
            back = model::back,
            delete = model::delete,
        ),
    )
}

@Composable
fun ModelsPages(state: ModelsState, act: ModelsActions) {
    val title = stringResource(R.string.place_models)
    val open = state.open
    when {
        twoPanes -> Page(
            title,
            side = { if (open == null) Quiet(stringResource(R.string.model_pick)) else ModelDetail(open, act) },
        ) { ModelList(state, act) }
        open != null -> Page(open.model.name, act.back) { ModelDetail(open, act) }
        else -> Page(title) { ModelList(state, act) }
    }
}

@Composable
private fun ModelList(state: ModelsState, act: ModelsActions) {
    state.problem?.let { ProblemCard(it, dismiss = act.dismiss) }
    if (state.models.isEmpty()) Heading(stringResource(R.string.models_none))
    state.models.forEach { ModelCard(it, act) }
    state.copy?.let { CopyProgress(it, act.stopImport) }
    Quiet(stringResource(R.string.import_what))
    Button(act.pick, enabled = state.copy == null) { Text(stringResource(R.string.import_model)) }
}

@Composable
private fun ModelCard(entry: ModelEntry, act: ModelsActions) {
    Card(Modifier.fillMaxWidth()) {
        Column(Modifier.padding(16.dp), Arrangement.spacedBy(4.dp)) {
            Heading(entry.model.name)
            Quiet(entry.size())
            entry.fit?.let { FitLine(it) }
            if (entry.problem != null) ProblemCard(entry.problem)
            Buttons {
                if (entry.chosen) {
                    OutlinedButton({}, enabled = false) { Text(stringResource(R.string.model_in_use)) }
                } else {
                    Button({ act.choose(entry.model) }) { Text(stringResource(R.string.model_use)) }
                }
                // Spoken with the model's name: there may be several such buttons.
                val details = stringResource(R.string.model_details)
                val spoken = "$details: ${entry.model.name}"
                TextButton({ act.open(entry.model) }, Modifier.semantics { contentDescription = spoken }) { Text(details) }
            }
        }
    }
}

@Composable
private fun CopyProgress(copy: ImportStep.Copied, stop: () -> Unit) {
    val context = LocalContext.current
    val done = context.size(copy.bytes)
    val words = if (copy.total > 0) {
        stringResource(R.string.importing_of, done, context.size(copy.total))
    } else {
        stringResource(R.string.importing, done)
    }
    Column(Modifier.fillMaxWidth(), Arrangement.spacedBy(8.dp)) {
        Text(words, style = MaterialTheme.typography.bodyMedium)
        val spoken = Modifier.fillMaxWidth().semantics { contentDescription = words }
        if (copy.total > 0) LinearProgressIndicator({ copy.bytes.toFloat() / copy.total }, spoken) else LinearProgressIndicator(spoken)
        OutlinedButton(stop) { Text(stringResource(R.string.cancel)) }
    }
}

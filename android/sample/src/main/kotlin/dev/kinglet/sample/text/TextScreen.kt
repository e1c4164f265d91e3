package dev.kinglet.sample.text

import androidx.compose.foundation.layout.fillMaxWidth
import androidx.compose.foundation.text.KeyboardOptions
import androidx.compose.material3.Button
import androidx.compose.material3.OutlinedTextField
import androidx.compose.material3.Text
import androidx.compose.runtime.Composable
import androidx.compose.runtime.getValue
import androidx.compose.ui.Modifier
import androidx.compose.ui.res.stringResource
import androidx.compose.ui.text.input.KeyboardCapitalization
import androidx.lifecycle.compose.collectAsStateWithLifecycle
import dev.kinglet.sample.R
import dev.kinglet.sample.ui.Buttons
import dev.kinglet.sample.ui.Choice
import dev.kinglet.sample.ui.OnLeave
import dev.kinglet.sample.ui.Page
import dev.kinglet.sample.ui.Quiet
import dev.kinglet.sample.ui.twoPanes

/** What the text screens can ask for. */
class TextActions(
    val fill: ((TextForm) -> TextForm) -> Unit,
    val run: (fields: String, labels: String) -> Unit,
    val stop: () -> Unit,
    val toModels: (() -> Unit)?,
    /** Puts a result where the text came from; null where that is not possible. */
    val putBack: ((String) -> Unit)? = null,
)

@Composable
fun TextScreen(model: TextViewModel, loading: Float?, toModels: () -> Unit) {
    val state by model.state.collectAsStateWithLifecycle()
    OnLeave(model::stop)
    TextPage(state, loading, TextActions(model::fill, model::run, model::stop, toModels))
}

@Composable
fun TextPage(state: TextState, loading: Float?, act: TextActions) {
    Page(
        stringResource(R.string.place_text),
        side = {
            if (twoPanes && state.isEmpty) Quiet(stringResource(R.string.result_none)) else TextResult(state, loading, act)
        },
    ) {
        OutlinedTextField(
            state.form.input,
            { text -> act.fill { it.copy(input = text) } },
            Modifier.fillMaxWidth(),
            label = { Text(stringResource(R.string.text_input)) },
            supportingText = { Text(stringResource(R.string.text_hint)) },
            keyboardOptions = KeyboardOptions(KeyboardCapitalization.Sentences),
            minLines = 4,
            maxLines = 12,
        )
        TextChoices(state.form, act)
        StartButton(state, act)
    }
}

/** What to do, and how. */
@Composable
fun TextChoices(form: TextForm, act: TextActions) {
    Choice(TextTask.entries, form.task, { stringResource(it.label) }) { task -> act.fill { it.copy(task = task) } }
    when (form.task) {
        TextTask.SUMMARIZE ->
            Choice(StyleChoice.entries, form.style, { stringResource(it.label) }) { style -> act.fill { it.copy(style = style) } }
        TextTask.REWRITE ->
            Choice(ToneChoice.entries, form.tone, { stringResource(it.label) }) { tone -> act.fill { it.copy(tone = tone) } }
        TextTask.EXTRACT ->
            Names(form.fields, R.string.fields, R.string.fields_usual) { names -> act.fill { it.copy(fields = names) } }
        TextTask.CLASSIFY ->
            Names(form.labels, R.string.labels, R.string.labels_usual) { names -> act.fill { it.copy(labels = names) } }
        TextTask.REPLY -> Unit
    }
}

@Composable
fun StartButton(state: TextState, act: TextActions) {
    val fields = stringResource(R.string.fields_usual)
    val labels = stringResource(R.string.labels_usual)
    Buttons { Button({ act.run(fields, labels) }, enabled = state.ready) { Text(stringResource(R.string.run)) } }
}

@Composable
private fun Names(names: String, label: Int, usual: Int, change: (String) -> Unit) = OutlinedTextField(
    names,
    change,
    Modifier.fillMaxWidth(),
    label = { Text(stringResource(label)) },
    placeholder = { Text(stringResource(usual)) },
    singleLine = true,
)

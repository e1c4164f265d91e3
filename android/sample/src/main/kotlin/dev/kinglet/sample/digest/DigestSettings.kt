package dev.kinglet.sample.digest

import androidx.annotation.StringRes
import androidx.compose.foundation.layout.Row
import androidx.compose.foundation.layout.fillMaxWidth
import androidx.compose.foundation.layout.heightIn
import androidx.compose.foundation.selection.toggleable
import androidx.compose.material3.Button
import androidx.compose.material3.ButtonDefaults
import androidx.compose.material3.MaterialTheme
import androidx.compose.material3.OutlinedButton
import androidx.compose.material3.Switch
import androidx.compose.material3.Text
import androidx.compose.runtime.Composable
import androidx.compose.runtime.getValue
import androidx.compose.runtime.mutableStateOf
import androidx.compose.runtime.saveable.rememberSaveable
import androidx.compose.runtime.setValue
import androidx.compose.ui.Alignment
import androidx.compose.ui.Modifier
import androidx.compose.ui.res.stringResource
import androidx.compose.ui.semantics.Role
import androidx.compose.ui.unit.dp
import dev.kinglet.sample.R
import dev.kinglet.sample.Schedule
import dev.kinglet.sample.ui.Buttons
import dev.kinglet.sample.ui.Choice
import dev.kinglet.sample.ui.Confirm
import dev.kinglet.sample.ui.Quiet
import dev.kinglet.sample.ui.Section

class SettingsActions(
    val schedule: (Schedule) -> Unit,
    val switch: (app: String, on: Boolean) -> Unit,
    val withdraw: () -> Unit,
    val wipe: () -> Unit,
)

@Composable
fun DigestSettings(state: DigestState, act: SettingsActions) {
    Section(stringResource(R.string.schedule)) {
        Choice(Schedule.entries, state.schedule, { stringResource(it.label) }, choose = act.schedule)
        Quiet(stringResource(R.string.schedule_what))
    }
    Section(stringResource(R.string.apps)) {
        if (state.apps.isEmpty()) Quiet(stringResource(R.string.apps_none))
        state.apps.forEach { app -> AppRow(app) { act.switch(app.app, it) } }
    }
    Section(stringResource(R.string.your_data)) { DataButtons(act) }
}

@Composable
private fun AppRow(app: AppSwitch, switch: (Boolean) -> Unit) {
    // The whole row is the switch, so that it is easy to hit and is read out with its name.
    Row(
        Modifier.fillMaxWidth().heightIn(min = 48.dp).toggleable(app.on, role = Role.Switch, onValueChange = switch),
        verticalAlignment = Alignment.CenterVertically,
    ) {
        Text(app.name, Modifier.weight(1f))
        Switch(app.on, null)
    }
}

@Composable
private fun DataButtons(act: SettingsActions) {
    var asking by rememberSaveable { mutableStateOf(false) }
    val scheme = MaterialTheme.colorScheme
    Buttons {
        OutlinedButton(act.withdraw) { Text(stringResource(R.string.withdraw)) }
        Button({ asking = true }, colors = ButtonDefaults.buttonColors(scheme.error, scheme.onError)) {
            Text(stringResource(R.string.wipe))
        }
    }
    if (asking) {
        Confirm(stringResource(R.string.wipe_title), stringResource(R.string.wipe_what), R.string.wipe, { asking = false }, act.wipe)
    }
}

@get:StringRes
private val Schedule.label: Int
    get() = when (this) {
        Schedule.OFF -> R.string.schedule_off
        Schedule.HOURLY -> R.string.schedule_hourly
        Schedule.EVERY_3_HOURS -> R.string.schedule_3
        Schedule.EVERY_6_HOURS -> R.string.schedule_6
        Schedule.DAILY -> R.string.schedule_daily
    }

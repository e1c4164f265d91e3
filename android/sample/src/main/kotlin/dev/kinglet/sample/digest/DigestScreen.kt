package dev.kinglet.sample.digest

import android.Manifest
import androidx.activity.compose.BackHandler
import androidx.activity.compose.rememberLauncherForActivityResult
import androidx.activity.result.contract.ActivityResultContracts.RequestPermission
import androidx.compose.material3.Icon
import androidx.compose.material3.IconButton
import androidx.compose.runtime.Composable
import androidx.compose.runtime.getValue
import androidx.compose.ui.platform.LocalContext
import androidx.compose.ui.res.painterResource
import androidx.compose.ui.res.stringResource
import androidx.lifecycle.Lifecycle
import androidx.lifecycle.compose.LifecycleEventEffect
import androidx.lifecycle.compose.collectAsStateWithLifecycle
import dev.kinglet.sample.R
import dev.kinglet.sample.ui.OnLeave
import dev.kinglet.sample.ui.Page
import dev.kinglet.sample.ui.Quiet
import dev.kinglet.sample.ui.twoPanes

/** What the digest's pages can ask for. */
class DigestActions(
    val agree: () -> Unit,
    val openAccess: () -> Unit,
    val make: () -> Unit,
    val makeInBackground: () -> Unit,
    val stop: () -> Unit,
    val dismiss: () -> Unit,
    val toModels: () -> Unit,
    val open: (Long) -> Unit,
    val openSettings: () -> Unit,
    val back: () -> Unit,
    val delete: (Long) -> Unit,
    val settings: SettingsActions,
)

@Composable
fun DigestScreen(model: DigestViewModel, loading: Float?, toModels: () -> Unit) {
    val state by model.state.collectAsStateWithLifecycle()
    val context = LocalContext.current
    val permission = rememberLauncherForActivityResult(RequestPermission()) {}
    val askToPost = { if (!model.mayPost()) permission.launch(Manifest.permission.POST_NOTIFICATIONS) }
    LifecycleEventEffect(Lifecycle.Event.ON_RESUME) { model.look() }
    OnLeave(model::stop)
    BackHandler(state.page != DigestPage.List) { model.back() }
    DigestPages(
        state,
        loading,
        DigestActions(
            agree = {
                model.agree()
                askToPost()
            },
            openAccess = { context.startActivity(model.accessSettings()) },
            make = model::make,
            makeInBackground = model::makeInBackground,
            stop = model::stop,
            dismiss = model::dismiss,
            toModels = toModels,
            open = model::open,
            openSettings = model::openSettings,
            back = model::back,
            delete = model::delete,
            settings = SettingsActions(
                schedule = {
                    model.schedule(it)
                    askToPost()
                },
                switch = model::switch,
                withdraw = model::withdraw,
                wipe = model::wipe,
            ),
        ),
    )
}

@Composable
fun DigestPages(state: DigestState, loading: Float?, act: DigestActions) {
    val title = stringResource(R.string.place_digest)
    when {
        state.loading -> Page(title) {}
        !state.consent -> Page(title) { ConsentCard(act.agree) }
        twoPanes -> Page(
            title,
            actions = { SettingsButton(act.openSettings) },
            side = {
                when {
                    state.page == DigestPage.Settings -> DigestSettings(state, act.settings)
                    state.page is DigestPage.One -> DigestDetail(state.open, act.delete)
                    else -> Quiet(stringResource(R.string.digest_gone))
                }
            },
        ) { DigestList(state, loading, act) }
        state.page == DigestPage.Settings ->
            Page(stringResource(R.string.digest_settings), act.back) { DigestSettings(state, act.settings) }
        state.page is DigestPage.One -> Page(stringResource(R.string.why_this), act.back) { DigestDetail(state.open, act.delete) }
        else -> Page(title, actions = { SettingsButton(act.openSettings) }) { DigestList(state, loading, act) }
    }
}

@Composable
private fun SettingsButton(open: () -> Unit) {
    IconButton(open) { Icon(painterResource(R.drawable.ic_settings), stringResource(R.string.settings)) }
}

package dev.kinglet.sample.text

import android.content.Intent
import android.os.Bundle
import androidx.activity.ComponentActivity
import androidx.activity.compose.setContent
import androidx.activity.enableEdgeToEdge
import androidx.activity.viewModels
import androidx.compose.runtime.Composable
import androidx.compose.runtime.getValue
import androidx.lifecycle.compose.collectAsStateWithLifecycle
import androidx.lifecycle.createSavedStateHandle
import androidx.lifecycle.viewmodel.initializer
import androidx.lifecycle.viewmodel.viewModelFactory
import dev.kinglet.sample.MainActivity
import dev.kinglet.sample.parts
import dev.kinglet.sample.ui.KingletTheme
import dev.kinglet.sample.ui.OnLeave

/** A window over another app, for a text that was selected or shared there. */
class TextActivity : ComponentActivity() {
    private val model by viewModels<TextViewModel> {
        viewModelFactory { initializer { TextViewModel(parts, createSavedStateHandle()) } }
    }

    override fun onCreate(savedInstanceState: Bundle?) {
        super.onCreate(savedInstanceState)
        enableEdgeToEdge()
        if (savedInstanceState == null) model.take(text(intent))
        setContent { KingletTheme { Window() } }
    }

    @Composable
    fun Window() {
        val state by model.state.collectAsStateWithLifecycle()
        val loading by parts.loading.collectAsStateWithLifecycle()
        OnLeave(model::stop)
        TextWindow(state, loading, actions(), ::finish)
    }

    override fun onNewIntent(intent: Intent) {
        super.onNewIntent(intent)
        setIntent(intent)
        model.take(text(intent))
    }

    private fun actions() = TextActions(
        model::fill,
        model::run,
        model::stop,
        toModels = { startActivity(MainActivity.models(this)) },
        putBack = ::putBack.takeIf { mayReplace },
    )

    private val mayReplace: Boolean
        get() = intent.action == Intent.ACTION_PROCESS_TEXT && !intent.getBooleanExtra(Intent.EXTRA_PROCESS_TEXT_READONLY, false)

    private fun putBack(text: String) {
        setResult(RESULT_OK, Intent().putExtra(Intent.EXTRA_PROCESS_TEXT, text))
        finish()
    }

    private fun text(intent: Intent): String {
        val name = if (intent.action == Intent.ACTION_PROCESS_TEXT) Intent.EXTRA_PROCESS_TEXT else Intent.EXTRA_TEXT
        return intent.getCharSequenceExtra(name)?.toString().orEmpty()
    }
}

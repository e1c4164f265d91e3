package dev.kinglet.sample

import android.content.Context
import android.content.Intent
import android.os.Bundle
import androidx.activity.ComponentActivity
import androidx.activity.compose.BackHandler
import androidx.activity.compose.setContent
import androidx.activity.enableEdgeToEdge
import androidx.activity.viewModels
import androidx.compose.runtime.Composable
import androidx.compose.runtime.getValue
import androidx.core.net.toUri
import androidx.lifecycle.SavedStateHandle
import androidx.lifecycle.ViewModel
import androidx.lifecycle.compose.collectAsStateWithLifecycle
import androidx.lifecycle.createSavedStateHandle
import androidx.lifecycle.viewmodel.initializer
import androidx.lifecycle.viewmodel.viewModelFactory
import dev.kinglet.sample.diagnose.DiagnoseScreen
import dev.kinglet.sample.diagnose.DiagnoseViewModel
import dev.kinglet.sample.digest.DigestScreen
import dev.kinglet.sample.digest.DigestViewModel
import dev.kinglet.sample.models.ModelsScreen
import dev.kinglet.sample.models.ModelsViewModel
import dev.kinglet.sample.text.TextScreen
import dev.kinglet.sample.text.TextViewModel
import dev.kinglet.sample.ui.KingletTheme
import dev.kinglet.sample.ui.Place
import dev.kinglet.sample.ui.Shell

class MainActivity : ComponentActivity() {
    private val places by viewModels<PlaceViewModel> { make(::PlaceViewModel) }
    private val digest by viewModels<DigestViewModel> { make { DigestViewModel(parts, it) } }
    private val text by viewModels<TextViewModel> { make { TextViewModel(parts, it) } }
    private val models by viewModels<ModelsViewModel> { make { ModelsViewModel(parts, it) } }
    private val diagnosis by viewModels<DiagnoseViewModel> { make { DiagnoseViewModel(parts, it) } }

    override fun onCreate(savedInstanceState: Bundle?) {
        super.onCreate(savedInstanceState)
        enableEdgeToEdge()
        if (savedInstanceState == null) follow(intent)
        setContent { KingletTheme { App() } }
    }

    override fun onNewIntent(intent: Intent) {
        super.onNewIntent(intent)
        setIntent(intent)
        follow(intent)
    }

    /** Goes where a notification, or the text window, points to. */
    private fun follow(intent: Intent) {
        val segments = intent.data?.takeIf { it.scheme == SCHEME }?.schemeSpecificPart?.split('/') ?: return
        when (segments.first()) {
            DIGEST -> {
                places.go(Place.DIGEST)
                val id = segments.getOrNull(1)?.toLongOrNull()
                if (id == null) digest.back() else digest.open(id)
            }
            MODELS -> places.go(Place.MODELS)
        }
    }

    @Composable
    fun App() {
        val place by places.place.collectAsStateWithLifecycle()
        val digests by digest.state.collectAsStateWithLifecycle()
        val loading by parts.loading.collectAsStateWithLifecycle()
        val toModels = { places.go(Place.MODELS) }
        // Before the app is left, the first screen; the screens' own ways back come before this one.
        BackHandler(place != Place.DIGEST) { places.go(Place.DIGEST) }
        Shell(place, places::go, digests.unread) {
            when (it) {
                Place.DIGEST -> DigestScreen(digest, loading, toModels)
                Place.TEXT -> TextScreen(text, loading, toModels)
                Place.MODELS -> ModelsScreen(models)
                Place.DIAGNOSE -> DiagnoseScreen(diagnosis, toModels)
            }
        }
    }

    private inline fun <reified M : ViewModel> make(crossinline create: (SavedStateHandle) -> M) =
        viewModelFactory { initializer { create(createSavedStateHandle()) } }

    companion object {
        private const val SCHEME = "kinglet"
        private const val DIGEST = "digest"
        private const val MODELS = "models"

        /** Opens the digests, or one of them. */
        fun digest(context: Context, id: Long? = null): Intent = to(context, if (id == null) DIGEST else "$DIGEST/$id")

        /** Opens the models. */
        fun models(context: Context): Intent = to(context, MODELS)

        private fun to(context: Context, where: String) = Intent(context, MainActivity::class.java)
            .setData("$SCHEME:$where".toUri())
            .addFlags(Intent.FLAG_ACTIVITY_NEW_TASK or Intent.FLAG_ACTIVITY_CLEAR_TOP)
    }
}

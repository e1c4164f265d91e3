package dev.kinglet.sample.ui

import androidx.annotation.DrawableRes
import androidx.annotation.StringRes
import androidx.compose.foundation.layout.Arrangement
import androidx.compose.foundation.layout.Box
import androidx.compose.foundation.layout.Column
import androidx.compose.foundation.layout.Row
import androidx.compose.foundation.layout.Spacer
import androidx.compose.foundation.layout.WindowInsets
import androidx.compose.foundation.layout.WindowInsetsSides
import androidx.compose.foundation.layout.consumeWindowInsets
import androidx.compose.foundation.layout.fillMaxSize
import androidx.compose.foundation.layout.only
import androidx.compose.foundation.layout.safeDrawing
import androidx.compose.foundation.layout.systemBars
import androidx.compose.material3.Badge
import androidx.compose.material3.BadgedBox
import androidx.compose.material3.Icon
import androidx.compose.material3.MaterialTheme
import androidx.compose.material3.NavigationBar
import androidx.compose.material3.NavigationBarItem
import androidx.compose.material3.NavigationRail
import androidx.compose.material3.NavigationRailItem
import androidx.compose.material3.Surface
import androidx.compose.material3.Text
import androidx.compose.runtime.Composable
import androidx.compose.runtime.CompositionLocalProvider
import androidx.compose.runtime.saveable.rememberSaveableStateHolder
import androidx.compose.ui.Modifier
import androidx.compose.ui.platform.LocalConfiguration
import androidx.compose.ui.platform.LocalDensity
import androidx.compose.ui.res.painterResource
import androidx.compose.ui.res.stringResource
import androidx.compose.ui.text.style.TextOverflow
import androidx.compose.ui.unit.Density
import dev.kinglet.sample.R

/** The app's four screens. */
enum class Place(@get:StringRes val label: Int, @get:DrawableRes val icon: Int) {
    DIGEST(R.string.place_digest, R.drawable.ic_digest),
    TEXT(R.string.place_text, R.drawable.ic_text),
    MODELS(R.string.place_models, R.drawable.ic_models),
    DIAGNOSE(R.string.place_diagnose, R.drawable.ic_diagnose),
}

/** The way between the screens: at the bottom of a phone, at the side of anything wider. */
@Composable
fun Shell(place: Place, go: (Place) -> Unit, unread: Int, screen: @Composable (Place) -> Unit) {
    val holder = rememberSaveableStateHolder()
    val shown = @Composable { holder.SaveableStateProvider(place) { screen(place) } }
    Surface(Modifier.fillMaxSize(), color = MaterialTheme.colorScheme.background) {
        if (LocalConfiguration.current.screenWidthDp >= 600) {
            Row {
                NavigationRail {
                    Spacer(Modifier.weight(1f))
                    Place.entries.forEach {
                        NavigationRailItem(it == place, { go(it) }, { PlaceIcon(it, unread) }, label = { PlaceLabel(it) })
                    }
                    Spacer(Modifier.weight(1f))
                }
                Box(Modifier.weight(1f).consumeWindowInsets(WindowInsets.safeDrawing.only(WindowInsetsSides.Start))) { shown() }
            }
        } else {
            Column(verticalArrangement = Arrangement.Bottom) {
                Box(Modifier.weight(1f).consumeWindowInsets(WindowInsets.systemBars.only(WindowInsetsSides.Bottom))) { shown() }
                NavigationBar {
                    Place.entries.forEach {
                        NavigationBarItem(it == place, { go(it) }, { PlaceIcon(it, unread) }, label = { PlaceLabel(it) })
                    }
                }
            }
        }
    }
}

@Composable
private fun PlaceIcon(place: Place, unread: Int) {
    BadgedBox({ if (place == Place.DIGEST && unread > 0) Badge { Text("$unread") } }) {
        // The label below says it.
        Icon(painterResource(place.icon), null)
    }
}

/** Four words have to share the width of a phone: beyond half as large again they would be cut. */
@Composable
private fun PlaceLabel(place: Place) {
    val density = LocalDensity.current
    CompositionLocalProvider(LocalDensity provides Density(density.density, density.fontScale.coerceAtMost(1.5f))) {
        Text(stringResource(place.label), maxLines = 1, overflow = TextOverflow.Ellipsis)
    }
}

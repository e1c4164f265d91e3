package dev.kinglet.sample.ui

import androidx.compose.foundation.layout.Arrangement
import androidx.compose.foundation.layout.Box
import androidx.compose.foundation.layout.Column
import androidx.compose.foundation.layout.ColumnScope
import androidx.compose.foundation.layout.Row
import androidx.compose.foundation.layout.RowScope
import androidx.compose.foundation.layout.WindowInsets
import androidx.compose.foundation.layout.consumeWindowInsets
import androidx.compose.foundation.layout.fillMaxSize
import androidx.compose.foundation.layout.fillMaxWidth
import androidx.compose.foundation.layout.padding
import androidx.compose.foundation.layout.safeDrawing
import androidx.compose.foundation.layout.widthIn
import androidx.compose.foundation.rememberScrollState
import androidx.compose.foundation.verticalScroll
import androidx.compose.material3.ExperimentalMaterial3Api
import androidx.compose.material3.Icon
import androidx.compose.material3.IconButton
import androidx.compose.material3.Scaffold
import androidx.compose.material3.Text
import androidx.compose.material3.TopAppBar
import androidx.compose.runtime.Composable
import androidx.compose.ui.Alignment
import androidx.compose.ui.Modifier
import androidx.compose.ui.platform.LocalConfiguration
import androidx.compose.ui.res.painterResource
import androidx.compose.ui.res.stringResource
import androidx.compose.ui.semantics.heading
import androidx.compose.ui.semantics.semantics
import androidx.compose.ui.text.style.TextOverflow
import androidx.compose.ui.unit.dp
import dev.kinglet.sample.R

/** Wide enough for two things side by side. */
val twoPanes: Boolean
    @Composable get() = LocalConfiguration.current.screenWidthDp >= 840

/** A screen: its title, and what it shows below, in as many columns as there is room for. */
@OptIn(ExperimentalMaterial3Api::class)
@Composable
fun Page(
    title: String,
    back: (() -> Unit)? = null,
    actions: @Composable RowScope.() -> Unit = {},
    side: (@Composable ColumnScope.() -> Unit)? = null,
    main: @Composable ColumnScope.() -> Unit,
) {
    Scaffold(
        topBar = {
            TopAppBar(
                title = { Text(title, Modifier.semantics { heading() }, maxLines = 1, overflow = TextOverflow.Ellipsis) },
                navigationIcon = { if (back != null) BackButton(back) },
                actions = actions,
            )
        },
        contentWindowInsets = WindowInsets.safeDrawing,
    ) { inner ->
        Row(
            Modifier.fillMaxSize().padding(inner).consumeWindowInsets(inner),
            Arrangement.spacedBy(16.dp, Alignment.CenterHorizontally),
        ) {
            if (side != null && twoPanes) {
                Pane(Modifier.weight(1f), main)
                Pane(Modifier.weight(1f), side)
            } else {
                Pane(Modifier.widthIn(max = 720.dp)) {
                    main()
                    side?.invoke(this)
                }
            }
        }
    }
}

@Composable
private fun Pane(modifier: Modifier, content: @Composable ColumnScope.() -> Unit) {
    Box(modifier.fillMaxSize(), Alignment.TopCenter) {
        Column(
            Modifier.fillMaxWidth().verticalScroll(rememberScrollState()).padding(16.dp, 8.dp, 16.dp, 24.dp),
            Arrangement.spacedBy(16.dp),
            content = content,
        )
    }
}

@Composable
private fun BackButton(back: () -> Unit) {
    IconButton(back) { Icon(painterResource(R.drawable.ic_back), stringResource(R.string.back)) }
}

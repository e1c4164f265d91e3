package dev.kinglet.sample.ui

import android.os.Build
import androidx.compose.foundation.isSystemInDarkTheme
import androidx.compose.material3.MaterialTheme
import androidx.compose.material3.darkColorScheme
import androidx.compose.material3.dynamicDarkColorScheme
import androidx.compose.material3.dynamicLightColorScheme
import androidx.compose.material3.lightColorScheme
import androidx.compose.runtime.Composable
import androidx.compose.runtime.staticCompositionLocalOf
import androidx.compose.ui.graphics.Color
import androidx.compose.ui.platform.LocalContext

// A kinglet's own colours: olive feathers, and gold for the crown.
private val day = lightColorScheme(
    primary = Color(0xFF4F6523),
    onPrimary = Color(0xFFFFFFFF),
    primaryContainer = Color(0xFFD1ED9B),
    onPrimaryContainer = Color(0xFF141F00),
    secondary = Color(0xFF5A6147),
    onSecondary = Color(0xFFFFFFFF),
    secondaryContainer = Color(0xFFDFE6C5),
    onSecondaryContainer = Color(0xFF181E09),
    tertiary = Color(0xFF7A5900),
    onTertiary = Color(0xFFFFFFFF),
    tertiaryContainer = Color(0xFFFFDEA3),
    onTertiaryContainer = Color(0xFF261900),
    background = Color(0xFFFBFAF0),
    onBackground = Color(0xFF1B1C16),
    surface = Color(0xFFFBFAF0),
    onSurface = Color(0xFF1B1C16),
    surfaceVariant = Color(0xFFE3E4D3),
    onSurfaceVariant = Color(0xFF46483B),
    outline = Color(0xFF76786A),
    outlineVariant = Color(0xFFC6C8B7),
    surfaceContainerLowest = Color(0xFFFFFFFF),
    surfaceContainerLow = Color(0xFFF5F4E9),
    surfaceContainer = Color(0xFFEFEEE3),
    surfaceContainerHigh = Color(0xFFE9E9DE),
    surfaceContainerHighest = Color(0xFFE4E3D8),
)

private val night = darkColorScheme(
    primary = Color(0xFFB6D082),
    onPrimary = Color(0xFF263500),
    primaryContainer = Color(0xFF384D0A),
    onPrimaryContainer = Color(0xFFD1ED9B),
    secondary = Color(0xFFC3CAAA),
    onSecondary = Color(0xFF2D331C),
    secondaryContainer = Color(0xFF434930),
    onSecondaryContainer = Color(0xFFDFE6C5),
    tertiary = Color(0xFFF2B84B),
    onTertiary = Color(0xFF402D00),
    tertiaryContainer = Color(0xFF5C4300),
    onTertiaryContainer = Color(0xFFFFDEA3),
    background = Color(0xFF12140C),
    onBackground = Color(0xFFE4E3D8),
    surface = Color(0xFF12140C),
    onSurface = Color(0xFFE4E3D8),
    surfaceVariant = Color(0xFF46483B),
    onSurfaceVariant = Color(0xFFC6C8B7),
    outline = Color(0xFF909283),
    outlineVariant = Color(0xFF46483B),
    surfaceContainerLowest = Color(0xFF0D0F08),
    surfaceContainerLow = Color(0xFF1B1C14),
    surfaceContainer = Color(0xFF1F2018),
    surfaceContainerHigh = Color(0xFF292B22),
    surfaceContainerHighest = Color(0xFF34362D),
)

/** Whether the system's colours are taken where it has some; pictures for the documentation do without. */
val LocalDynamicColor = staticCompositionLocalOf { true }

@Composable
fun KingletTheme(dark: Boolean = isSystemInDarkTheme(), content: @Composable () -> Unit) {
    val dynamic = LocalDynamicColor.current && Build.VERSION.SDK_INT >= Build.VERSION_CODES.S
    val context = LocalContext.current
    val colors = when {
        dynamic && dark -> dynamicDarkColorScheme(context)
        dynamic -> dynamicLightColorScheme(context)
        dark -> night
        else -> day
    }
    MaterialTheme(colors, content = content)
}

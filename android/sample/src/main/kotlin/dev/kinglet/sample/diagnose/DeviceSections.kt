package dev.kinglet.sample.diagnose

import androidx.compose.foundation.layout.fillMaxWidth
import androidx.compose.material3.LinearProgressIndicator
import androidx.compose.material3.OutlinedButton
import androidx.compose.material3.Text
import androidx.compose.runtime.Composable
import androidx.compose.ui.Modifier
import androidx.compose.ui.res.stringResource
import androidx.compose.ui.semantics.contentDescription
import androidx.compose.ui.semantics.semantics
import dev.kinglet.GpuInfo
import dev.kinglet.sample.R
import dev.kinglet.sample.ui.Fact
import dev.kinglet.sample.ui.Quiet
import dev.kinglet.sample.ui.Section

@Composable
fun DeviceSection(state: DiagnoseState) {
    Section(stringResource(R.string.device)) {
        Fact(stringResource(R.string.kinglet_version), state.version)
        state.device?.let {
            Fact(stringResource(R.string.runs_on), "${it.kind.uppercase()} · ${it.detail}")
            Fact(stringResource(R.string.because), it.reason)
        }
    }
}

@Composable
fun GpuSection(state: DiagnoseState) {
    val gpus = state.gpus ?: return
    Section(stringResource(R.string.gpu)) {
        if (gpus.isEmpty()) Quiet(stringResource(R.string.gpu_none))
        gpus.forEach { Gpu(it) }
    }
}

@Composable
private fun Gpu(gpu: GpuInfo) {
    Fact(gpu.name, "${gpu.backend} · ${gpu.kind} · ${stringResource(R.string.gpu_tier, gpu.tier)}")
    Fact(stringResource(R.string.gpu_driver), gpu.driver)
    if (gpu.features.isNotEmpty()) Fact(stringResource(R.string.gpu_features), gpu.features.joinToString())
    val usable = stringResource(if (gpu.usable) R.string.gpu_usable else R.string.gpu_not_usable)
    Quiet(listOfNotNull(usable, gpu.reason).joinToString(": "))
}

/** How far an examination is. */
@Composable
fun Running(progress: Float?, stop: () -> Unit) {
    val working = stringResource(R.string.working)
    val bar = Modifier.fillMaxWidth().semantics { contentDescription = working }
    if (progress == null) LinearProgressIndicator(bar) else LinearProgressIndicator({ progress }, bar)
    OutlinedButton(stop) { Text(stringResource(R.string.stop)) }
}

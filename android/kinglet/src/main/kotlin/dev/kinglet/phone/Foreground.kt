package dev.kinglet.phone

import androidx.lifecycle.Lifecycle
import androidx.lifecycle.ProcessLifecycleOwner
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.distinctUntilChanged
import kotlinx.coroutines.flow.map

/** Whether an activity of the app is visible. A rotation does not count as leaving. */
internal object Foreground {
    private val lifecycle: Lifecycle get() = ProcessLifecycleOwner.get().lifecycle

    val now: Boolean get() = lifecycle.currentState.isAtLeast(Lifecycle.State.STARTED)

    /** Now, and each change. */
    val changes: Flow<Boolean>
        get() = lifecycle.currentStateFlow.map { it.isAtLeast(Lifecycle.State.STARTED) }.distinctUntilChanged()
}

package dev.kinglet.sample.digest

import android.content.Intent
import androidx.lifecycle.SavedStateHandle
import androidx.lifecycle.ViewModel
import androidx.lifecycle.viewModelScope
import dev.kinglet.NotificationText
import dev.kinglet.StoredDigest
import dev.kinglet.sample.Choices
import dev.kinglet.sample.Parts
import dev.kinglet.sample.Schedule
import dev.kinglet.sample.engine.Answer
import dev.kinglet.sample.engine.Live
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.SharingStarted
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.combine
import kotlinx.coroutines.flow.stateIn
import kotlinx.coroutines.launch

data class DigestState(
    /** Nothing is known yet. */
    val loading: Boolean = true,
    val consent: Boolean = false,
    /** The system lets the app read notifications. */
    val access: Boolean = false,
    val waiting: List<NotificationText> = emptyList(),
    val history: List<StoredDigest> = emptyList(),
    val live: Live = Live(),
    val apps: List<AppSwitch> = emptyList(),
    val schedule: Schedule = Schedule.OFF,
    /** Digests up to this one were read. */
    val read: Long = 0,
    val page: DigestPage = DigestPage.List,
) {
    val unread: Int get() = history.count { it.id > read }

    /** The digest that [page] is about, unless it was deleted. */
    val open: StoredDigest? get() = (page as? DigestPage.One)?.let { page -> history.firstOrNull { it.id == page.id } }
}

/** An app that notified, and whether it is in digests. */
data class AppSwitch(val app: String, val name: String, val on: Boolean)

/** What the screen is at. */
sealed interface DigestPage {
    data object List : DigestPage

    data object Settings : DigestPage

    /** Why a digest says what it says. */
    data class One(val id: Long) : DigestPage
}

class DigestViewModel(private val parts: Parts, private val saved: SavedStateHandle) : ViewModel() {
    private val answer = Answer(viewModelScope)
    private val access = MutableStateFlow(parts.access.granted())
    private val page = saved.getStateFlow(PAGE, LIST)

    val state: StateFlow<DigestState> = combine(
        parts.inbox.contents,
        parts.preferences.choices,
        answer.state,
        access,
        page,
    ) { contents, choices, live, access, page ->
        DigestState(
            loading = false,
            consent = choices.consent,
            access = access,
            waiting = contents.waiting,
            history = contents.history,
            live = live,
            apps = choices.switches(),
            schedule = choices.schedule,
            read = choices.read,
            page = pageOf(page),
        )
    }.stateIn(viewModelScope, SharingStarted.Eagerly, DigestState())

    /** Back from the system's settings, for instance. */
    fun look() {
        access.value = parts.access.granted()
    }

    fun agree() = parts.preferences.change { it.copy(consent = true) }

    /** Nothing is collected any more; what there is stays until it is wiped. */
    fun withdraw() {
        parts.preferences.change { it.copy(consent = false, schedule = Schedule.OFF) }
        parts.schedule.set(Schedule.OFF)
    }

    fun accessSettings(): Intent = parts.access.settings()

    fun mayPost(): Boolean = parts.access.mayPost()

    fun make() = answer.begin(parts.assistant.digest()) { seen() }

    fun makeInBackground() = parts.schedule.once()

    fun stop() {
        if (answer.state.value.running) answer.stop()
    }

    fun dismiss() = answer.clear()

    fun schedule(schedule: Schedule) {
        parts.preferences.change { it.copy(schedule = schedule) }
        parts.schedule.set(schedule)
    }

    fun switch(app: String, on: Boolean) = parts.preferences.change {
        it.copy(muted = if (on) it.muted - app else it.muted + app)
    }

    fun open(id: Long) {
        saved[PAGE] = id
        parts.preferences.change { it.copy(read = maxOf(it.read, id)) }
        parts.notifier.remove()
    }

    fun openSettings() {
        saved[PAGE] = SETTINGS
    }

    fun back() {
        saved[PAGE] = LIST
    }

    fun delete(id: Long) {
        back()
        viewModelScope.launch { parts.inbox.delete(id) }
    }

    /** Notifications, digests, names of apps, reports. What was switched off stays off, and models hold nothing of anybody. */
    fun wipe() {
        answer.clear()
        back()
        parts.notifier.remove()
        parts.preferences.change { it.copy(apps = emptyMap(), read = 0, announced = 0) }
        // Not with the screen: once begun it is brought to its end.
        parts.scope.launch {
            parts.inbox.clear()
            parts.reports.clear()
        }
    }

    /** What was made before the person's eyes needs no notification. */
    private fun seen() {
        viewModelScope.launch {
            val newest = parts.inbox.history().firstOrNull()?.id ?: return@launch
            parts.preferences.change { it.copy(announced = maxOf(it.announced, newest), read = maxOf(it.read, newest)) }
        }
    }

    private fun Choices.switches() = apps.map { (app, name) -> AppSwitch(app, name, app !in muted) }.sortedBy { it.name.lowercase() }

    private fun pageOf(saved: Long) = when (saved) {
        LIST -> DigestPage.List
        SETTINGS -> DigestPage.Settings
        else -> DigestPage.One(saved)
    }

    private companion object {
        const val PAGE = "page"
        const val LIST = 0L
        const val SETTINGS = -1L
    }
}

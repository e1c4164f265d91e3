package dev.kinglet.sample

import android.content.Context
import androidx.core.content.edit
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.asStateFlow

/** How often a digest is made in the background. */
enum class Schedule(val hours: Long) { OFF(0), HOURLY(1), EVERY_3_HOURS(3), EVERY_6_HOURS(6), DAILY(24) }

/** What the person decided, and how far they have read. */
data class Choices(
    /** Notifications may be read and kept. */
    val consent: Boolean = false,
    /** Apps that notified so far: package and name. */
    val apps: Map<String, String> = emptyMap(),
    /** Packages that are left out. */
    val muted: Set<String> = emptySet(),
    val schedule: Schedule = Schedule.OFF,
    /** File name of the model that is used. */
    val model: String? = null,
    /** The newest digest that a person saw being made or was notified of. */
    val announced: Long = 0,
    /** The newest digest that was read. */
    val read: Long = 0,
)

/** [Choices], kept on disk. */
class Preferences(context: Context) {
    private val stored = context.getSharedPreferences("choices", Context.MODE_PRIVATE)
    private val now = MutableStateFlow(load())

    val choices: StateFlow<Choices> = now.asStateFlow()

    @Synchronized
    fun change(edit: (Choices) -> Choices) {
        val next = edit(now.value)
        if (next == now.value) return
        save(next)
        now.value = next
    }

    private fun load() = Choices(
        consent = stored.getBoolean("consent", false),
        apps = stored.getStringSet("apps", null).orEmpty().associate { it.substringBefore('\t') to it.substringAfter('\t') },
        muted = stored.getStringSet("muted", null).orEmpty().toSet(),
        schedule = Schedule.entries.firstOrNull { it.name == stored.getString("schedule", null) } ?: Schedule.OFF,
        model = stored.getString("model", null),
        announced = stored.getLong("announced", 0),
        read = stored.getLong("read", 0),
    )

    private fun save(choices: Choices) = stored.edit {
        putBoolean("consent", choices.consent)
        putStringSet("apps", choices.apps.mapTo(mutableSetOf()) { (name, label) -> "$name\t$label" })
        putStringSet("muted", choices.muted)
        putString("schedule", choices.schedule.name)
        putString("model", choices.model)
        putLong("announced", choices.announced)
        putLong("read", choices.read)
    }
}

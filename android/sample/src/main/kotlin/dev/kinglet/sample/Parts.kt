package dev.kinglet.sample

import android.content.Context
import dev.kinglet.KingletOptions
import dev.kinglet.SummaryQueue
import dev.kinglet.sample.diagnose.ReportFiles
import dev.kinglet.sample.digest.DigestNotifier
import dev.kinglet.sample.digest.DigestSchedule
import dev.kinglet.sample.digest.Inbox
import dev.kinglet.sample.digest.NotificationAccess
import dev.kinglet.sample.digest.QueueInbox
import dev.kinglet.sample.engine.Assistant
import dev.kinglet.sample.engine.Doctor
import dev.kinglet.sample.engine.KingletAssistant
import dev.kinglet.sample.engine.KingletDoctor
import dev.kinglet.sample.engine.OpenModel
import dev.kinglet.sample.models.ModelFolder
import dev.kinglet.sample.models.Models
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow

/** What the app is made of. Screens, the background and the text window take what they need from here. */
class Parts(
    /** Lives as long as the process. */
    val scope: CoroutineScope,
    val preferences: Preferences,
    val models: Models,
    val inbox: Inbox,
    val assistant: Assistant,
    val doctor: Doctor,
    /** How far the model is on its way into memory; null when it is not. */
    val loading: StateFlow<Float?>,
    val schedule: DigestSchedule,
    val notifier: DigestNotifier,
    val access: NotificationAccess,
    val reports: ReportFiles,
) {
    companion object {
        fun real(context: Context, options: KingletOptions = KingletOptions()): Parts {
            val scope = CoroutineScope(SupervisorJob() + Dispatchers.Default)
            val preferences = Preferences(context)
            val models = ModelFolder(context, preferences, scope, options)
            val model = OpenModel(context, models, scope, options)
            val queue = SummaryQueue(context)
            return of(
                context,
                scope,
                preferences,
                models,
                QueueInbox(queue),
                KingletAssistant(model, queue),
                KingletDoctor(context, model),
                model.loading,
            )
        }

        /** The rest is Android's, and the same for everybody. */
        fun of(
            context: Context,
            scope: CoroutineScope,
            preferences: Preferences,
            models: Models,
            inbox: Inbox,
            assistant: Assistant,
            doctor: Doctor,
            loading: StateFlow<Float?> = MutableStateFlow(null),
        ) = Parts(
            scope,
            preferences,
            models,
            inbox,
            assistant,
            doctor,
            loading,
            DigestSchedule(context),
            DigestNotifier(context),
            NotificationAccess(context),
            ReportFiles(context),
        )
    }
}

package dev.kinglet.sample.digest

import android.content.Context
import androidx.work.CoroutineWorker
import androidx.work.WorkerParameters
import dev.kinglet.KingletException
import dev.kinglet.sample.engine.NoModelException
import dev.kinglet.sample.parts

/** Makes a digest of what waits and notifies of it. Stopped at any moment it loses nothing and repeats nothing. */
class DigestWorker(context: Context, parameters: WorkerParameters) : CoroutineWorker(context, parameters) {
    override suspend fun doWork(): Result {
        val parts = applicationContext.parts
        if (!parts.preferences.choices.value.consent) return Result.success()
        return try {
            parts.assistant.drain()
            announce()
            Result.success()
        } catch (_: NoModelException) {
            // It goes on waiting until there is one.
            Result.success()
        } catch (_: KingletException) {
            if (runAttemptCount < ATTEMPTS) Result.retry() else Result.failure()
        }
    }

    /** Also of a digest that an earlier run made and was ended before it could say so. */
    private suspend fun announce() {
        val parts = applicationContext.parts
        val newest = parts.inbox.history().firstOrNull() ?: return
        if (newest.id <= parts.preferences.choices.value.announced) return
        parts.notifier.post(newest)
        parts.preferences.change { it.copy(announced = newest.id) }
    }

    private companion object {
        const val ATTEMPTS = 3
    }
}

package dev.kinglet.sample.digest

import android.content.Context
import androidx.work.Constraints
import androidx.work.ExistingPeriodicWorkPolicy
import androidx.work.ExistingWorkPolicy
import androidx.work.OneTimeWorkRequestBuilder
import androidx.work.PeriodicWorkRequestBuilder
import androidx.work.WorkManager
import dev.kinglet.sample.Schedule
import java.util.concurrent.TimeUnit

/** When digests are made in the background. */
class DigestSchedule(private val context: Context) {
    private val work get() = WorkManager.getInstance(context)

    fun set(schedule: Schedule) {
        if (schedule == Schedule.OFF) {
            work.cancelUniqueWork(REGULAR)
            return
        }
        val request = PeriodicWorkRequestBuilder<DigestWorker>(schedule.hours, TimeUnit.HOURS)
            // The first one when that time has passed, not at the flick of the switch.
            .setInitialDelay(schedule.hours, TimeUnit.HOURS)
            .setConstraints(Constraints.Builder().setRequiresBatteryNotLow(true).build())
            .build()
        work.enqueueUniquePeriodicWork(REGULAR, ExistingPeriodicWorkPolicy.CANCEL_AND_REENQUEUE, request)
    }

    /** Once, now, whether or not anybody looks. */
    fun once() {
        work.enqueueUniqueWork(ONCE, ExistingWorkPolicy.KEEP, OneTimeWorkRequestBuilder<DigestWorker>().build())
    }

    companion object {
        const val REGULAR = "digest"
        const val ONCE = "digest-once"
    }
}

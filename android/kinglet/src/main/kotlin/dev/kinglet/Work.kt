package dev.kinglet

import dev.kinglet.ffi.Work
import dev.kinglet.ffi.WorkProgress
import kotlinx.coroutines.async
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.withTimeoutOrNull
import kotlin.time.Duration.Companion.milliseconds

private val INTERVAL = 50.milliseconds

/**
 * Does something long, and tells how far it is. The core tells that when it is asked, so that no thread of its own comes
 * into the app.
 */
internal suspend fun <T> Work.watched(tell: suspend (WorkProgress) -> Unit, work: suspend () -> T): T = coroutineScope {
    val result = async { work() }
    var told: WorkProgress? = null
    while (withTimeoutOrNull(INTERVAL) { result.join() } == null) {
        val now = progress()
        if (now != told) tell(now)
        told = now
    }
    result.await()
}

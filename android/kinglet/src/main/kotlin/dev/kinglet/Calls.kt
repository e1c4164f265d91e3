package dev.kinglet

import dev.kinglet.ffi.TokenStream
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.buffer
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.flow.flowOn
import kotlinx.coroutines.withContext

/** The way from coroutines to an engine: off the caller's thread, and counted. */
internal class Calls {
    private val activity = Activity()

    val state get() = activity.state

    /** A value. */
    suspend fun <T> value(call: suspend () -> T): T = activity.during {
        withContext(Dispatchers.Default) {
            calling { call() }
        }
    }

    /** Something that has to be closed: so it is where the caller was cancelled before it could be handed over. */
    suspend fun <C : AutoCloseable, T> owned(call: suspend () -> C, own: (C) -> T): T {
        var made: C? = null
        try {
            value { made = call() }
            return own(checkNotNull(made))
        } catch (error: Throwable) {
            made?.close()
            throw error
        }
    }

    /** A stream, begun anew for each collector. A collector that leaves, for whatever reason, stops it. */
    fun stream(begin: () -> TokenStream): Flow<Event> = flow {
        activity.during {
            // Closing it cancels it.
            calling { begin() }.use { stream ->
                while (true) emit((calling { stream.next() } ?: break).event())
            }
        }
        // The core's own queue is buffer enough: what is read ahead here would be computed in vain.
    }.buffer(Channel.RENDEZVOUS).flowOn(Dispatchers.Default)

    /** The memory is free. */
    fun over() = activity.close()
}

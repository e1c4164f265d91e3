package dev.kinglet

import dev.kinglet.ffi.Engine
import dev.kinglet.ffi.TokenStream
import dev.kinglet.phone.Heat
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.FlowCollector
import kotlinx.coroutines.flow.buffer
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.flow.flowOn
import kotlinx.coroutines.withContext

/** The way from coroutines to an engine: off the caller's thread, and counted. */
internal class Calls(val residence: Residence, private val heat: Heat?) {
    /** A value. */
    suspend fun <T> value(call: suspend (Engine) -> T): T = withContext(Dispatchers.Default) {
        residence.during { engine -> calling { call(engine) } }
    }

    /** Something that has to be closed: so it is where the caller was cancelled before it could be handed over. */
    suspend fun <T : AutoCloseable> owned(make: suspend (Engine) -> T): T {
        var made: T? = null
        try {
            return value { engine -> make(engine).also { made = it } }
        } catch (error: Throwable) {
            made?.close()
            throw error
        }
    }

    /** A stream, begun anew for each collector. A collector that leaves, for whatever reason, stops it. */
    fun stream(begin: (Engine) -> TokenStream): Flow<Event> = flow {
        residence.during { engine ->
            // Closing it cancels it.
            calling { begin(engine) }.use { stream -> pass(stream) }
        }
        // The core's own queue is buffer enough: what is read ahead here would be computed in vain.
    }.buffer(Channel.RENDEZVOUS).flowOn(Dispatchers.Default)

    private suspend fun FlowCollector<Event>.pass(stream: TokenStream) {
        var told = ThrottleReason.NONE
        while (true) {
            val now = heat?.look() ?: ThrottleReason.NONE
            if (now != told) emit(Event.Throttled(now))
            told = now
            emit((calling { stream.next() } ?: break).event())
        }
    }
}

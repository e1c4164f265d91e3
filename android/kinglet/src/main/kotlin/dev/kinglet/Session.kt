package dev.kinglet

import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.flow.Flow
import java.io.File
import java.util.concurrent.atomic.AtomicBoolean
import dev.kinglet.ffi.Session as CoreSession

/**
 * One conversation. Sessions of an engine are independent of each other and take turns.
 *
 * Each flow is cold: a collector begins an answer, and stops it by leaving. Its memory is free once it is closed and its
 * answers are over, at the latest with its engine. While one is open the model stays in memory.
 */
public class Session internal constructor(private val calls: Calls, private val core: CoreSession) : AutoCloseable {
    private val open = AtomicBoolean(true)

    init {
        calls.residence.sessionOpened()
    }

    /** Positions in all, those held among them. */
    public val context: Int = core.context().toInt()

    /** Tokens held, as of the last call that ended. */
    public suspend fun position(): Int = calls.value { live { position().toInt() } }

    /** The answer to a conversation, all of whose messages are given each time. What is held already is not computed again. */
    @JvmOverloads
    public fun respond(messages: List<Message>, sampling: Sampling = Sampling()): Flow<Event> =
        calls.stream { live { respond(messages.map(Message::core), sampling.core()) } }

    /** Continues a text as it is, after what the session holds: no chat template, no instructions. */
    @JvmOverloads
    public fun generate(prompt: String, sampling: Sampling = Sampling()): Flow<Event> =
        calls.stream { live { generate(prompt, sampling.core()) } }

    /** The same with token ids, which may be special ones. */
    @JvmOverloads
    public fun generateFromTokens(ids: List<Int>, sampling: Sampling = Sampling()): Flow<Event> =
        calls.stream { live { generateFromTokens(ids.map { it.unsigned("ids") }, sampling.core()) } }

    /** Forgets everything. */
    public suspend fun reset(): Unit = calls.value { live { reset() } }

    /** Goes back to the first [position] tokens. An error where a sliding window has dropped what that needs. */
    public suspend fun truncate(position: Int): Unit = calls.value { live { truncate(position.unsigned("position")) } }

    /** Writes what the session holds to a file, whole or not at all; [Kinglet.restore] reads it. */
    public suspend fun save(file: File): Unit = calls.value { live { save(file.path) } }

    /** An independent session with the same past. */
    public suspend fun fork(): Session = calls.owned { Session(calls, live { fork() }) }

    /** Lets go of it. May be called again. */
    override fun close() {
        core.close()
        // It need not be loaded for this one any more.
        if (open.getAndSet(false)) calls.residence.sessionClosed()
    }

    private inline fun <T> live(call: CoreSession.() -> T): T = try {
        core.call()
    } catch (error: IllegalStateException) {
        // So says the generated code of an object that was let go of.
        if (!core.uniffiIsDestroyed || error is CancellationException) throw error
        throw KingletException.Closed("the session was closed; begin another with session()", error)
    }
}

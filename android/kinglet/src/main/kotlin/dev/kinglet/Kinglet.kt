package dev.kinglet

import android.content.Context
import dev.kinglet.ffi.Meanwhile
import dev.kinglet.ffi.SummarizeOptions
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withContext
import java.io.File
import dev.kinglet.ffi.Engine as CoreEngine

/**
 * A loaded language model.
 *
 * One thread of its own runs it, so calls take turns. Every function may be called from any thread, the main one too.
 * Flows are cold: a collector begins the work, and stops it by leaving. Text longer than the context is treated in parts;
 * empty text gives an empty result.
 */
public class Kinglet internal constructor(private val core: CoreEngine) : AutoCloseable {
    private val calls = Calls()

    /** What it does. */
    public val state: StateFlow<EngineState> = calls.state

    /** What the file holds. */
    public val info: ModelInfo = core.info().own()

    /** What the model and one session take. */
    public val memory: MemoryPlan = core.memory().own()

    /** Positions of a session. */
    public val context: Int = core.context().toInt()

    /** What runs the model now; under [Device.AUTO] that may change. */
    public suspend fun device(): DeviceInfo = calls.value { core.device().own() }

    /** Shortens a text. */
    @JvmOverloads
    public fun summarize(
        text: String,
        style: SummaryStyle = SummaryStyle.SENTENCE,
        length: SummaryLength? = null,
        sampling: Sampling? = null,
    ): Flow<Event> = calls.stream {
        core.summarize(text, SummarizeOptions(style.core(), length?.core(), sampling?.core()))
    }

    /** Says the same in another tone, or without mistakes. */
    @JvmOverloads
    public fun rewrite(text: String, tone: Tone, sampling: Sampling? = null): Flow<Event> =
        calls.stream { core.rewrite(text, tone.core(), sampling?.core()) }

    /** One sentence for each app that had something to say; [Event.Done] has them one by one. */
    @JvmOverloads
    public fun digest(notifications: List<Notification>, sampling: Sampling? = null): Flow<Event> =
        calls.stream { core.digest(notifications.map(Notification::core), sampling?.core()) }

    /** Suggests three short answers to a message. */
    @JvmOverloads
    public suspend fun reply(message: String, sampling: Sampling? = null): Suggestions =
        calls.value { core.reply(message, sampling?.core()).own() }

    /** Chooses one of the labels for a text. */
    public suspend fun classify(text: String, labels: List<String>): Classification =
        calls.value { core.classify(text, labels).own() }

    /** Finds named fields in a text. Values stand in the text, letter by letter. */
    public suspend fun extract(text: String, fields: List<String>): Extraction =
        calls.value { core.extract(text, fields).own() }

    /** An empty session. */
    public suspend fun session(): Session = calls.owned({ core.session() }) { Session(calls, it) }

    /** Goes on with a session that [Session.save] wrote, with the same model. */
    public suspend fun restore(file: File): Session = calls.owned({ core.restore(file.path) }) { Session(calls, it) }

    /** Tokens of a text. */
    public suspend fun countTokens(text: String): Int = calls.value { core.countTokens(text).toInt() }

    /** Tokens of a conversation, with all that the chat template adds, up to where the answer begins. */
    public suspend fun countTokens(messages: List<Message>): Int =
        calls.value { core.countMessageTokens(messages.map(Message::core)).toInt() }

    /**
     * Keeps the GPU from working, for an app that goes to the background. What runs ends with
     * [KingletException.Suspended]; under [Device.AUTO] it goes on on the CPU. Nothing happens where no GPU is used.
     */
    public suspend fun suspendGpu(): Unit = calls.value { core.suspend(Meanwhile.LEAVE) }

    /** Lets the GPU work again. */
    public suspend fun resumeGpu(): Unit = calls.value { core.resume() }

    /**
     * Cancels what runs, refuses what waits, and returns once the model's memory is free. Later calls, those of its
     * sessions too, fail with [KingletException.Closed]. It may be called again.
     */
    public suspend fun shutdown(): Unit = withContext(NonCancellable) {
        // The core's object stays: it refuses what is asked of it from now on.
        core.shutdown()
        calls.over()
    }

    /** As [shutdown], for whoever cannot suspend: it keeps the caller's thread for some milliseconds. */
    override fun close(): Unit = runBlocking { shutdown() }

    public companion object {
        /** Loads a model. Cancelling stops it, between parts of the weights. */
        @JvmStatic
        @JvmOverloads
        public suspend fun open(context: Context, model: ModelFile, options: KingletOptions = KingletOptions()): Kinglet =
            Loader(context, model, options).open()

        /** The same, with its progress; [LoadState.Ready] is the last state. Each collector loads the model anew. */
        @JvmStatic
        @JvmOverloads
        public fun load(context: Context, model: ModelFile, options: KingletOptions = KingletOptions()): Flow<LoadState> =
            Loader(context, model, options).load()
    }
}

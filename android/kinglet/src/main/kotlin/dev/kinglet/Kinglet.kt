package dev.kinglet

import android.content.Context
import dev.kinglet.ffi.SummarizeOptions
import dev.kinglet.ffi.Work
import dev.kinglet.ffi.initLogging
import dev.kinglet.phone.Watch
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withContext
import java.io.File
import dev.kinglet.ffi.Engine as CoreEngine
import dev.kinglet.ffi.devices as coreDevices
import dev.kinglet.ffi.diagnose as coreDiagnose
import dev.kinglet.ffi.inspect as coreInspect
import dev.kinglet.ffi.qualify as coreQualify
import dev.kinglet.ffi.version as coreVersion

/**
 * A loaded language model.
 *
 * One thread of its own runs it, so calls take turns. Every function may be called from any thread, the main one too.
 * Flows are cold: a collector begins the work, and stops it by leaving. Text longer than the context is treated in parts;
 * empty text gives an empty result.
 *
 * It minds the phone ([Manners]): the GPU rests in the background, a warm phone is spared, and memory that the system
 * asks for is given back.
 */
public class Kinglet internal constructor(core: CoreEngine, private val calls: Calls, private val watch: Watch) : AutoCloseable {
    /** What it does. */
    public val state: StateFlow<EngineState> = calls.residence.state

    /** What the file holds. */
    public val info: ModelInfo = core.info().own()

    /** What the model and one session take. */
    public val memory: MemoryPlan = core.memory().own()

    /** Positions of a session. */
    public val context: Int = core.context().toInt()

    /** What runs the model now; under [Device.AUTO] that may change. */
    public suspend fun device(): DeviceInfo = calls.value { it.device().own() }

    /** Shortens a text. */
    @JvmOverloads
    public fun summarize(
        text: String,
        style: SummaryStyle = SummaryStyle.SENTENCE,
        length: SummaryLength? = null,
        sampling: Sampling? = null,
    ): Flow<Event> = calls.stream {
        it.summarize(text, SummarizeOptions(style.core(), length?.core(), sampling?.core()))
    }

    /** Says the same in another tone, or without mistakes. */
    @JvmOverloads
    public fun rewrite(text: String, tone: Tone, sampling: Sampling? = null): Flow<Event> =
        calls.stream { it.rewrite(text, tone.core(), sampling?.core()) }

    /** One sentence for each app that had something to say; [Event.Done] has them one by one. */
    @JvmOverloads
    public fun digest(notifications: List<NotificationText>, sampling: Sampling? = null): Flow<Event> =
        calls.stream { it.digest(notifications.map(NotificationText::core), sampling?.core()) }

    /** Suggests three short answers to a message. */
    @JvmOverloads
    public suspend fun reply(message: String, sampling: Sampling? = null): Suggestions =
        calls.value { it.reply(message, sampling?.core()).own() }

    /** Chooses one of the labels for a text. */
    public suspend fun classify(text: String, labels: List<String>): Classification = calls.value { it.classify(text, labels).own() }

    /** Finds named fields in a text. Values stand in the text, letter by letter. */
    public suspend fun extract(text: String, fields: List<String>): Extraction = calls.value { it.extract(text, fields).own() }

    /** An empty session. */
    public suspend fun session(): Session = calls.owned { Session(calls, it.session()) }

    /** Goes on with a session that [Session.save] wrote, with the same model. */
    public suspend fun restore(file: File): Session = calls.owned { Session(calls, it.restore(file.path)) }

    /** Tokens of a text. */
    public suspend fun countTokens(text: String): Int = calls.value { it.countTokens(text).toInt() }

    /** Tokens of a conversation, with all that the chat template adds, up to where the answer begins. */
    public suspend fun countTokens(messages: List<Message>): Int =
        calls.value { it.countMessageTokens(messages.map(Message::core)).toInt() }

    /** A text's ids, without a begin-of-sequence token. No text becomes a control token. */
    public suspend fun tokenize(text: String): List<Int> = calls.value { it.tokenize(text).map(UInt::toInt) }

    /** The text of ids; what is no UTF-8 becomes U+FFFD. */
    public suspend fun detokenize(ids: List<Int>): String = calls.value { it.detokenize(ids.map { id -> id.unsigned("ids") }) }

    /** Measures reading and writing with so many tokens, so many times. */
    @JvmOverloads
    public suspend fun benchmark(prefill: Int = 128, decode: Int = 32, repeat: Int = 3): Benchmark = calls.value {
        it.benchmark(prefill.unsigned("prefill"), decode.unsigned("decode"), repeat.unsigned("repeat")).own()
    }

    /**
     * Keeps the GPU from working, for reasons of the app's own; that the app is in the background is known without. What
     * runs ends with [KingletException.Suspended]; under [Device.AUTO] it goes on on the CPU.
     */
    public suspend fun suspendGpu(): Unit = gate(suspended = true)

    /** Lets the GPU work again, as soon as the app is in the foreground. */
    public suspend fun resumeGpu(): Unit = gate(suspended = false)

    private suspend fun gate(suspended: Boolean) = withContext(Dispatchers.Default) {
        if (state.value == EngineState.CLOSED) throw KingletException.Closed(CLOSED, null)
        watch.suspendGpu(suspended)
    }

    /**
     * Cancels what runs, refuses what waits, and returns once the model's memory is free. Later calls, those of its
     * sessions too, fail with [KingletException.Closed]. It may be called again.
     */
    public suspend fun shutdown(): Unit = withContext(NonCancellable) {
        watch.close()
        calls.residence.shutdown()
    }

    /** As [shutdown], for whoever cannot suspend: it keeps the caller's thread for some milliseconds. */
    override fun close(): Unit = runBlocking { shutdown() }

    public companion object {
        private const val CLOSED = "the engine was shut down; load the model again"

        /** Kinglet's version. */
        @JvmStatic
        public val version: String get() = coreVersion()

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

        /** What a file holds; its weights are not read. */
        @JvmStatic
        public suspend fun inspect(model: ModelFile): ModelInfo = calling { coreInspect(model.file.path) }.own()

        /** What the model would take in memory, and whether the phone has that now. Nothing is loaded. */
        @JvmStatic
        @JvmOverloads
        public suspend fun fit(context: Context, model: ModelFile, options: KingletOptions = KingletOptions()): Fit =
            Loader(context, model, options).fit()

        /** The GPUs of this phone, the best first. None is no error. */
        @JvmStatic
        public suspend fun gpus(): List<GpuInfo> = calling { coreDevices() }.map { it.own() }

        /**
         * Asks the GPU for every kernel of a model and compares with the CPU. The outcome is kept for [open]. What the GPU
         * gets wrong is no error. [progress] is told 0 to 1.
         */
        @JvmStatic
        @JvmOverloads
        public suspend fun qualify(
            context: Context,
            model: ModelFile,
            options: KingletOptions = KingletOptions(),
            progress: (Float) -> Unit = {},
        ): Qualification = watched(progress) { work ->
            coreQualify(model.file.path, options.core(context), work).own()
        }

        /**
         * Compares GPU and CPU on a prompt, node by node, and names the first operation that is wrong. It prepares both
         * devices for itself, one after the other: where memory is short, close the model before. [progress] is told 0 to
         * 1, anew for each part of the prompt.
         */
        @JvmStatic
        @JvmOverloads
        public suspend fun diagnose(
            context: Context,
            model: ModelFile,
            prompt: String,
            options: KingletOptions = KingletOptions(),
            request: Diagnosis = Diagnosis(),
            progress: (Float) -> Unit = {},
        ): Divergence = watched(progress) { work ->
            coreDiagnose(model.file.path, prompt, options.core(context, request.fault), request.core(), work).own()
        }

        /** Logs from now on. Nothing is logged before. */
        @JvmStatic
        public fun log(level: LogLevel): Unit = initLogging(level.core())

        private suspend fun <T> watched(progress: (Float) -> Unit, call: suspend (Work) -> T): T = Work().use { work ->
            work.watched({ progress(it.fraction.toFloat()) }) {
                withContext(Dispatchers.Default) { calling { call(work) } }
            }
        }
    }
}

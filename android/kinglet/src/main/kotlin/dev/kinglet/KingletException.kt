package dev.kinglet

import dev.kinglet.ffi.InternalException
import dev.kinglet.ffi.KingletException as Core

/** What went wrong. The message names the thing and the way out; it is the core's own. */
public sealed class KingletException(message: String, cause: Throwable?) : Exception(message, cause) {
    /** The operating system refused a file. */
    public class Io internal constructor(message: String, cause: Throwable) : KingletException(message, cause)

    /** The bytes are no GGUF file that can be trusted. */
    public class Gguf internal constructor(message: String, cause: Throwable) : KingletException(message, cause)

    /** A tensor is stored in a format that has no decoder. */
    public class UnsupportedFormat internal constructor(message: String, cause: Throwable) : KingletException(message, cause)

    /** The model's family is not built in. */
    public class UnsupportedArchitecture internal constructor(message: String, cause: Throwable) : KingletException(message, cause)

    /** A metadata key is absent, or holds something that it cannot mean. */
    public class Metadata internal constructor(message: String, cause: Throwable) : KingletException(message, cause)

    /** A tensor that the architecture needs is not in the file. */
    public class MissingTensor internal constructor(message: String, cause: Throwable) : KingletException(message, cause)

    /** A tensor has another shape than the metadata demands. */
    public class TensorShape internal constructor(message: String, cause: Throwable) : KingletException(message, cause)

    /** The vocabulary in the file cannot be used. */
    public class Tokenizer internal constructor(message: String, cause: Throwable) : KingletException(message, cause)

    /** A chat template does not parse or refuses the messages. */
    public class Template internal constructor(message: String, cause: Throwable) : KingletException(message, cause)

    /** An option, or a combination of options, makes no sense. */
    public class Option internal constructor(message: String, cause: Throwable) : KingletException(message, cause)

    /** A token id beyond the vocabulary. */
    public class TokenId internal constructor(message: String, cause: Throwable) : KingletException(message, cause)

    /** More tokens than the context holds. */
    public class ContextFull internal constructor(message: String, cause: Throwable) : KingletException(message, cause)

    /** A sliding window has dropped what going back would need. */
    public class Rollback internal constructor(message: String, cause: Throwable) : KingletException(message, cause)

    /** Memory was refused. */
    public class OutOfMemory internal constructor(message: String, cause: Throwable) : KingletException(message, cause)

    /** The model takes more memory than the phone has left: nothing was loaded. */
    public class DoesNotFit internal constructor(message: String) : KingletException(message, null)

    /** A device computed something that is no number. */
    public class NonFinite internal constructor(message: String, cause: Throwable) : KingletException(message, cause)

    /** A device says something else than the CPU does. */
    public class Distrusted internal constructor(message: String, cause: Throwable) : KingletException(message, cause)

    /** A precision plan that the model cannot bear. */
    public class Precision internal constructor(message: String, cause: Throwable) : KingletException(message, cause)

    /** There is no GPU that could be used. */
    public class NoGpu internal constructor(message: String, cause: Throwable) : KingletException(message, cause)

    /** The GPU or its driver refused something. */
    public class Gpu internal constructor(message: String, cause: Throwable) : KingletException(message, cause)

    /** The GPU's driver refused to compile a kernel. */
    public class Kernel internal constructor(message: String, cause: Throwable) : KingletException(message, cause)

    /** The GPU is gone. */
    public class GpuLost internal constructor(message: String, cause: Throwable) : KingletException(message, cause)

    /** The GPU may not work now. */
    public class Suspended internal constructor(message: String, cause: Throwable) : KingletException(message, cause)

    /** A saved session that cannot be gone on with. */
    public class Saved internal constructor(message: String, cause: Throwable) : KingletException(message, cause)

    /** A report that cannot be replayed. */
    public class Report internal constructor(message: String, cause: Throwable) : KingletException(message, cause)

    /** A file of a device's values that cannot be used. */
    public class Dump internal constructor(message: String, cause: Throwable) : KingletException(message, cause)

    /** An earlier run left the device in a state that nobody knows. */
    public class Poisoned internal constructor(message: String, cause: Throwable) : KingletException(message, cause)

    /** The caller cancelled. */
    public class Cancelled internal constructor(message: String, cause: Throwable) : KingletException(message, cause)

    /** The answer could not be brought into the asked form. */
    public class Constraint internal constructor(message: String, cause: Throwable) : KingletException(message, cause)

    /** Too many calls wait for the engine. */
    public class Busy internal constructor(message: String, cause: Throwable) : KingletException(message, cause)

    /** The engine was shut down. */
    public class Closed internal constructor(message: String, cause: Throwable?) : KingletException(message, cause)

    /** A fault in Kinglet. */
    public class Internal internal constructor(message: String, cause: Throwable) : KingletException(message, cause)

    internal companion object {
        fun of(core: Core): KingletException {
            val message = core.message.orEmpty()
            return when (core) {
                is Core.Io -> Io(message, core)
                is Core.Gguf -> Gguf(message, core)
                is Core.UnsupportedFormat -> UnsupportedFormat(message, core)
                is Core.UnsupportedArchitecture -> UnsupportedArchitecture(message, core)
                is Core.Metadata -> Metadata(message, core)
                is Core.MissingTensor -> MissingTensor(message, core)
                is Core.TensorShape -> TensorShape(message, core)
                is Core.Tokenizer -> Tokenizer(message, core)
                is Core.Template -> Template(message, core)
                is Core.Option -> Option(message, core)
                is Core.TokenId -> TokenId(message, core)
                is Core.ContextFull -> ContextFull(message, core)
                is Core.Rollback -> Rollback(message, core)
                is Core.OutOfMemory -> OutOfMemory(message, core)
                is Core.NonFinite -> NonFinite(message, core)
                is Core.Distrusted -> Distrusted(message, core)
                is Core.Precision -> Precision(message, core)
                is Core.NoGpu -> NoGpu(message, core)
                is Core.Gpu -> Gpu(message, core)
                is Core.Kernel -> Kernel(message, core)
                is Core.GpuLost -> GpuLost(message, core)
                is Core.Suspended -> Suspended(message, core)
                is Core.Saved -> Saved(message, core)
                is Core.Report -> Report(message, core)
                is Core.Dump -> Dump(message, core)
                is Core.Poisoned -> Poisoned(message, core)
                is Core.Cancelled -> Cancelled(message, core)
                is Core.Constraint -> Constraint(message, core)
                is Core.Busy -> Busy(message, core)
                is Core.Closed -> Closed(message, core)
                is Core.Internal -> Internal(message, core)
            }
        }
    }
}

/** Calls the core, whose errors become [KingletException]. */
internal inline fun <T> calling(core: () -> T): T = try {
    core()
} catch (error: Core) {
    throw KingletException.of(error)
} catch (error: InternalException) {
    throw KingletException.Internal(error.message.orEmpty(), error)
}

import Foundation
internal import KingletBindings

/// What went wrong. The text names the thing and the way out; it is the core's own.
///
/// A task that was cancelled fails with `CancellationError` instead.
public enum KingletError: Error, Sendable, Hashable {
    /// The operating system refused a file.
    case io(String)
    /// The bytes are no GGUF file that can be trusted.
    case gguf(String)
    /// A tensor is stored in a format that has no decoder.
    case unsupportedFormat(String)
    /// The model's family is not built in.
    case unsupportedArchitecture(String)
    /// A metadata key is absent, or holds something that it cannot mean.
    case metadata(String)
    /// A tensor that the architecture needs is not in the file.
    case missingTensor(String)
    /// A tensor has another shape than the metadata demands.
    case tensorShape(String)
    /// The vocabulary in the file cannot be used.
    case tokenizer(String)
    /// A chat template does not parse or refuses the messages.
    case template(String)
    /// An option, or a combination of options, makes no sense.
    case option(String)
    /// A token id beyond the vocabulary.
    case tokenID(String)
    /// More tokens than the context holds.
    case contextFull(String)
    /// A sliding window has dropped what going back would need.
    case rollback(String)
    /// Memory was refused.
    case outOfMemory(String)
    /// The model takes more memory than the app may still take: nothing was loaded.
    case doesNotFit(String)
    /// A device computed something that is no number.
    case nonFinite(String)
    /// A device says something else than the CPU does.
    case distrusted(String)
    /// A precision plan that the model cannot bear.
    case precision(String)
    /// There is no GPU that could be used.
    case noGPU(String)
    /// The GPU or its driver refused something.
    case gpu(String)
    /// The GPU's driver refused to compile a kernel.
    case kernel(String)
    /// The GPU is gone.
    case gpuLost(String)
    /// The GPU may not work now.
    case suspended(String)
    /// A saved session that cannot be gone on with.
    case saved(String)
    /// A report that cannot be replayed.
    case report(String)
    /// A file of a device's values that cannot be used.
    case dump(String)
    /// An earlier run left the device in a state that nobody knows.
    case poisoned(String)
    /// The core was told to stop, and not by cancelling the task.
    case cancelled(String)
    /// The answer could not be brought into the asked form.
    case constraint(String)
    /// Too many calls wait for the engine.
    case busy(String)
    /// The engine was closed.
    case closed(String)
    /// A fault in Kinglet.
    case `internal`(String)
}

extension KingletError: LocalizedError {
    /// The text, for people.
    public var errorDescription: String? { text }

    /// The text, for people.
    public var text: String {
        switch self {
        case .io(let text), .gguf(let text), .unsupportedFormat(let text), .unsupportedArchitecture(let text),
            .metadata(let text), .missingTensor(let text), .tensorShape(let text), .tokenizer(let text),
            .template(let text), .option(let text), .tokenID(let text), .contextFull(let text), .rollback(let text),
            .outOfMemory(let text), .doesNotFit(let text), .nonFinite(let text), .distrusted(let text),
            .precision(let text), .noGPU(let text), .gpu(let text), .kernel(let text), .gpuLost(let text),
            .suspended(let text), .saved(let text), .report(let text), .dump(let text), .poisoned(let text),
            .cancelled(let text), .constraint(let text), .busy(let text), .closed(let text), .internal(let text):
            text
        }
    }
}

extension KingletError {
    /// Says the core what it says to whoever asks a closed engine.
    static let closed = KingletError.closed("the engine was shut down; load the model again")

    /// This module's error for one of the core's.
    static func own(_ error: any Error) -> any Error {
        switch error {
        case CoreError.Cancelled where Task.isCancelled: CancellationError()
        case let error as CoreError: KingletError(error)
        case is KingletError, is CancellationError: error
        // So the generated code tells of a panic.
        default: KingletError.internal(error.localizedDescription)
        }
    }

    init(_ core: CoreError) {
        self =
            switch core {
            case .Io(let text): .io(text)
            case .Gguf(let text): .gguf(text)
            case .UnsupportedFormat(let text): .unsupportedFormat(text)
            case .UnsupportedArchitecture(let text): .unsupportedArchitecture(text)
            case .Metadata(let text): .metadata(text)
            case .MissingTensor(let text): .missingTensor(text)
            case .TensorShape(let text): .tensorShape(text)
            case .Tokenizer(let text): .tokenizer(text)
            case .Template(let text): .template(text)
            case .Option(let text): .option(text)
            case .TokenId(let text): .tokenID(text)
            case .ContextFull(let text): .contextFull(text)
            case .Rollback(let text): .rollback(text)
            case .OutOfMemory(let text): .outOfMemory(text)
            case .NonFinite(let text): .nonFinite(text)
            case .Distrusted(let text): .distrusted(text)
            case .Precision(let text): .precision(text)
            case .NoGpu(let text): .noGPU(text)
            case .Gpu(let text): .gpu(text)
            case .Kernel(let text): .kernel(text)
            case .GpuLost(let text): .gpuLost(text)
            case .Suspended(let text): .suspended(text)
            case .Saved(let text): .saved(text)
            case .Report(let text): .report(text)
            case .Dump(let text): .dump(text)
            case .Poisoned(let text): .poisoned(text)
            case .Cancelled(let text): .cancelled(text)
            case .Constraint(let text): .constraint(text)
            case .Busy(let text): .busy(text)
            case .Closed(let text): .closed(text)
            case .Internal(let text): .internal(text)
            }
    }
}

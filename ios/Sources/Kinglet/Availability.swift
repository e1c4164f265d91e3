/// Whether a model can be opened here and now.
public enum Availability: Sendable, Hashable {
    /// It can, and takes so much memory.
    case available(MemoryPlan)
    /// It cannot.
    case unavailable(Reason)

    /// Why a model cannot be opened, with a text for people that says the way out.
    public enum Reason: Sendable, Hashable {
        /// The file is not there, or may not be read.
        case unreadable(String)
        /// The file is no model that can be trusted.
        case damaged(String)
        /// Kinglet does not know this family of models, or this format of weights.
        case unsupported(String)
        /// It takes more memory than the app may still take.
        case doesNotFit(String)
        /// The configuration makes no sense.
        case misconfigured(String)
    }
}

extension Availability.Reason {
    /// The text, for people.
    public var text: String {
        switch self {
        case .unreadable(let text), .damaged(let text), .unsupported(let text), .doesNotFit(let text),
            .misconfigured(let text):
            text
        }
    }

    init(_ error: KingletError) {
        self =
            switch error {
            case .io: .unreadable(error.text)
            case .gguf, .metadata, .missingTensor, .tensorShape, .tokenizer, .template: .damaged(error.text)
            case .unsupportedFormat, .unsupportedArchitecture: .unsupported(error.text)
            case .doesNotFit, .outOfMemory: .doesNotFit(error.text)
            default: .misconfigured(error.text)
            }
    }
}

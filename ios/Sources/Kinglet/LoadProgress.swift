/// How far a model is on its way into memory.
public struct LoadProgress: Sendable, Hashable, Codable {
    /// 0 to 1. It may begin again, for ``Device/automatic`` tries one device after the other.
    public var fraction: Double
    /// What is being done.
    public var step: LoadStep

    /// Progress, for previews and tests.
    public init(fraction: Double, step: LoadStep) {
        self.fraction = fraction
        self.step = step
    }
}

/// What is being done while a model is loaded.
public enum LoadStep: String, Sendable, Hashable, Codable, CaseIterable {
    /// The file's header is read.
    case opening
    /// Weights are brought into the device's layout.
    case weights
}

/// What an engine does.
public enum EngineState: String, Sendable, Hashable, Codable, CaseIterable {
    /// Nothing.
    case idle
    /// It runs the model, or something waits for it.
    case working
    /// Its memory was given back to the system, which asked for it; the next call loads the model again.
    case unloaded
    /// It was closed: its memory is free, and every call fails with ``KingletError/closed(_:)``.
    case closed
}

import Foundation
internal import KingletBindings

/// The front door: small language models on this device, on its GPU where that can be trusted. Nothing leaves the device.
///
/// ```swift
/// let engine = try await Kinglet.open(.init(model: url))
/// for try await event in engine.summarize(text) { label += event }
/// ```
public enum Kinglet {
    /// Loads a model. Cancelling the task stops it, between parts of the weights.
    ///
    /// - Parameter progress: Told now and then how far it is, not on the main actor, and never after this returned.
    public static func open(
        _ configuration: Configuration,
        progress: (@Sendable (LoadProgress) -> Void)? = nil
    ) async throws -> Engine {
        try await open(configuration, in: surroundings, progress: progress)
    }

    static func open(
        _ configuration: Configuration,
        in surroundings: any Surroundings,
        progress: (@Sendable (LoadProgress) -> Void)? = nil
    ) async throws -> Engine {
        try await Loader(configuration, surroundings).open(progress)
    }

    /// Whether a model can be opened here and now, from its file's header alone.
    public static func availability(of configuration: Configuration) async -> Availability {
        await availability(of: configuration, in: surroundings)
    }

    static func availability(of configuration: Configuration, in surroundings: any Surroundings) async -> Availability {
        do {
            return .available(try await Loader(configuration, surroundings).fit())
        } catch let error as KingletError {
            return .unavailable(.init(error))
        } catch {
            return .unavailable(.misconfigured(error.localizedDescription))
        }
    }

    /// What a model would take in memory. Nothing is loaded.
    public static func plan(_ configuration: Configuration) async throws -> MemoryPlan {
        try await Loader(configuration, surroundings).plan()
    }

    /// What a file holds; its weights are not read.
    public static func inspect(_ model: URL) async throws -> ModelInfo {
        try await Work().during { _ in ModelInfo(try await KingletBindings.inspect(path: model.path)) }
    }

    /// The GPUs of this device, the best first. None is no error.
    public static func gpus() async throws -> [GPUInfo] {
        try await Work().during { _ in try await devices().map(GPUInfo.init) }
    }

    /// Asks the GPU for every kernel of a model and compares with the CPU. The outcome is kept for
    /// ``open(_:progress:)``. What the GPU gets wrong is no error.
    ///
    /// - Parameter progress: Told 0 to 1.
    public static func qualify(
        _ configuration: Configuration,
        progress: (@Sendable (Double) -> Void)? = nil
    ) async throws -> Qualification {
        let options = try configuration.core()
        return try await Work().watched(fraction(progress)) { work in
            Qualification(
                try await KingletBindings.qualify(path: configuration.model.path, options: options, work: work))
        }
    }

    /// Compares GPU and CPU on a prompt, node by node, and names the first operation that is wrong.
    ///
    /// It prepares both devices for itself, one after the other: where memory is short, close the engine before.
    ///
    /// - Parameter progress: Told 0 to 1, anew for each part of the prompt.
    public static func diagnose(
        _ configuration: Configuration,
        prompt: String,
        options: DiagnosisOptions = .init(),
        progress: (@Sendable (Double) -> Void)? = nil
    ) async throws -> Divergence {
        let (engine, wanted) = (try configuration.core(), try options.core())
        return try await Work().watched(fraction(progress)) { work in
            Divergence(
                try await KingletBindings.diagnose(
                    path: configuration.model.path, prompt: prompt, options: engine, wanted: wanted, work: work))
        }
    }

    /// Kinglet's version.
    public static var version: String { KingletBindings.version() }

    /// Logs from now on, to the unified log under `dev.kinglet`: what this module does, and what the core does. Nothing is
    /// logged before. No text of a person is ever logged.
    public static func log(_ level: LogLevel) {
        Log.set(level)
    }

    private static func fraction(_ progress: (@Sendable (Double) -> Void)?) -> (@Sendable (WorkProgress) -> Void)? {
        progress.map { progress in { @Sendable (news: WorkProgress) in progress(news.fraction) } }
    }

    #if canImport(Darwin)
        private static let surroundings: any Surroundings = SystemSurroundings()
    #else
        private static let surroundings: any Surroundings = QuietSurroundings()
    #endif
}

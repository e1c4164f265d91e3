import Kinglet

/// Over the package.
public struct KingletDoctor: Doctor {
    // Always the same words, and none of them anybody's.
    private static let prompt = "The kinglet is the smallest bird of the forest. In winter it"

    private let model: OpenModel

    /// Examines this model.
    public init(model: OpenModel) {
        self.model = model
    }

    public var version: String { Kinglet.version }

    public func device() async throws -> DeviceInfo {
        try await model.engine().device
    }

    public func gpus() async throws -> [GPUInfo] {
        try await Kinglet.gpus()
    }

    public func benchmark() async throws -> Benchmark {
        try await model.engine().benchmark()
    }

    public func qualify(progress: @escaping @Sendable (Double) -> Void) async throws -> Qualification {
        let configuration = try await model.configuration()
        // It is loaded a second time for this, and a phone has seldom room for both.
        await model.release()
        return try await Kinglet.qualify(configuration, progress: progress)
    }

    public func diagnose(fault: String?, progress: @escaping @Sendable (Double) -> Void) async throws -> Divergence {
        var configuration = try await model.configuration()
        configuration.gpu.inject = fault
        await model.release()
        return try await Kinglet.diagnose(configuration, prompt: Self.prompt, progress: progress)
    }
}

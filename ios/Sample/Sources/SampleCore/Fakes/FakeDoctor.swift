import Kinglet

/// A device as a good phone is.
public struct FakeDoctor: Doctor {
    /// What everything fails with.
    public var failure: (any Error)?
    /// What needs a model fails.
    public var noModel: Bool
    /// Examinations do not end by themselves.
    public var endless: Bool
    /// What happened to it.
    public let calls = FakeCalls()

    /// A good phone with a model.
    public init(failure: (any Error)? = nil, noModel: Bool = false, endless: Bool = false) {
        self.failure = failure
        self.noModel = noModel
        self.endless = endless
    }

    public var version: String { "1.2.3" }

    public func device() async throws -> DeviceInfo {
        try await examine(Believable.device)
    }

    public func gpus() async throws -> [GPUInfo] {
        if let failure { throw failure }
        return [Believable.gpu]
    }

    public func benchmark() async throws -> Benchmark {
        try await examine(Believable.benchmark)
    }

    public func qualify(progress: @escaping @Sendable (Double) -> Void) async throws -> Qualification {
        progress(0.5)
        return try await examine(Believable.qualification)
    }

    public func diagnose(fault: String?, progress: @escaping @Sendable (Double) -> Void) async throws -> Divergence {
        progress(0.5)
        return try await examine(fault.map(Believable.divergence) ?? Believable.same)
    }

    private func examine<Found>(_ found: Found) async throws -> Found {
        if noModel { throw NoModelError() }
        if let failure { throw failure }
        if endless { try await calls.wait() }
        return found
    }
}

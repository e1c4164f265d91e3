internal import KingletBindings

// The core's names where this module has its own.
typealias CoreEngine = KingletBindings.Engine
typealias CoreSession = KingletBindings.Session
typealias CoreError = KingletBindings.KingletError
typealias CoreEvent = KingletBindings.StreamEvent
typealias CoreSampling = KingletBindings.Sampling

/// A number that the core wants unsigned.
func unsigned(_ number: Int, _ name: String) throws -> UInt32 {
    guard let unsigned = UInt32(exactly: number) else {
        let range = number < 0 ? "0 or more" : "at most \(UInt32.max)"
        throw KingletError.option("option \(name): is \(number); give \(range)")
    }
    return unsigned
}

/// The same, where there is one.
func unsigned(_ number: Int?, _ name: String) throws -> UInt32? {
    try number.map { try unsigned($0, name) }
}

extension Work {
    /// Waits for a long call of the core, and stops it when the task is cancelled.
    func during<Value: Sendable>(_ call: @escaping @Sendable (Work) async throws -> Value) async throws -> Value {
        do {
            return try await unlessCancelled({ try await call(self) }, onCancel: { self.cancel() })
        } catch {
            throw KingletError.own(error)
        }
    }
}

internal import KingletBindings

/// The way to an engine: counted, and stopped with the task.
final class Calls: Sendable {
    let residence: Residence
    let watch: Watch
    /// Positions of a session.
    let contextLength: Int

    init(_ residence: Residence, _ watch: Watch, contextLength: Int) {
        self.residence = residence
        self.watch = watch
        self.contextLength = contextLength
    }

    /// A value.
    func value<Value: Sendable>(
        _ call: @escaping @Sendable (CoreEngine, Work) async throws -> Value
    ) async throws -> Value {
        let counted = residence.activity.call()
        defer { counted.letGo() }
        let engine = try await residence.engine()
        return try await Work().during { work in try await call(engine, work) }
    }

    /// A value that is whole, or an error.
    func whole<Value: Sendable>(
        _ stats: @Sendable (Value) -> Stats,
        _ call: @escaping @Sendable (CoreEngine, Work) async throws -> Value
    ) async throws -> Value {
        let value = try await value(call)
        try Task.checkCancellation()
        // Cut off by whoever closed the engine: a half must not pass for the whole.
        if stats(value).stop == .cancelled { throw KingletError.closed }
        return value
    }

    /// A stream, begun anew for each reader. A reader that leaves, for whatever reason, stops it.
    func stream(_ begin: @escaping @Sendable (CoreEngine) throws -> TokenStream) -> EventStream {
        EventStream { [self] in
            CoreRun(watch) {
                let counted = self.residence.activity.call()
                return Begun(stream: try begin(try await self.residence.engine()), leases: [counted])
            }
        }
    }
}

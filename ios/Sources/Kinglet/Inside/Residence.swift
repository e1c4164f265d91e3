internal import KingletBindings

/// The core's engine: in memory, or given back while nobody needs it, and loaded again for the next call.
///
/// Whoever uses it is counted before, by `Activity`, so that it is never given back under a call.
final class Residence: Sendable {
    private struct State {
        var engine: CoreEngine
        var loading: Task<CoreEngine, any Error>?
        var isClosing = false
        var onLoaded: @Sendable (CoreEngine) -> Void = { _ in }
        var seats: [ObjectIdentifier: Weak] = [:]
    }

    private struct Weak {
        weak var seat: Seat?
    }

    let activity = Activity()
    private let load: @Sendable () async throws -> CoreEngine
    private let state: Guarded<State>
    private let turn = Turn()

    init(_ first: CoreEngine, load: @escaping @Sendable () async throws -> CoreEngine) {
        state = Guarded(State(engine: first))
        self.load = load
    }

    /// Tells of this engine, and of each later one before it is used.
    func onLoaded(_ tell: @escaping @Sendable (CoreEngine) -> Void) {
        let engine = state.with { state in
            state.onLoaded = tell
            return state.engine
        }
        tell(engine)
    }

    /// The engine if it is in memory; it may be gone at the next moment, and then refuses what is asked of it.
    var present: CoreEngine? {
        activity.isUnloaded ? nil : state.with { $0.engine }
    }

    /// The engine for a call that was counted.
    func engine() async throws -> CoreEngine {
        let lease = try await turn.take()
        defer { lease.letGo() }
        let (engine, isClosing) = state.with { ($0.engine, $0.isClosing) }
        // An engine that was shut down says so to whoever asks.
        if isClosing || !activity.isUnloaded { return engine }
        return try await loaded() ?? engine
    }

    /// A new engine; none where it is closed on the way.
    private func loaded() async throws -> CoreEngine? {
        let loading = Task { [load] in try await load() }
        let isClosing = state.with { state in
            state.loading = loading
            return state.isClosing
        }
        if isClosing { loading.cancel() }
        defer { state.with { $0.loading = nil } }
        do {
            let engine = try await withTaskCancellationHandler {
                try await loading.value
            } onCancel: {
                loading.cancel()
            }
            let tell = state.with { state in
                state.engine = engine
                return state.onLoaded
            }
            tell(engine)
            activity.load()
            return engine
        } catch is CancellationError where state.with({ $0.isClosing }) {
            return nil
        }
    }

    func add(_ seat: Seat) {
        state.with { $0.seats[ObjectIdentifier(seat)] = Weak(seat: seat) }
    }

    func remove(_ seat: ObjectIdentifier) {
        state.with { $0.seats[seat] = nil }
    }

    /// Frees what nobody uses: what sessions hold, which is saved, then the model. Says whether the model went.
    func giveBack() async -> Bool {
        let seats = state.with { $0.seats.values.compactMap(\.seat) }
        for seat in seats { await seat.putAside() }
        guard let lease = try? await turn.take() else { return false }
        defer { lease.letGo() }
        guard activity.unload() else { return false }
        await state.with { $0.engine }.shutdown()
        return true
    }

    /// Frees it for good. Whatever becomes of the caller, it is done to its end.
    func shutdown() async {
        let loading = state.with { state in
            state.isClosing = true
            return state.loading
        }
        loading?.cancel()
        await Task {
            let lease = try? await turn.take()
            defer { lease?.letGo() }
            // The core's object stays: it refuses what is asked of it from now on.
            await state.with { $0.engine }.shutdown()
            activity.close()
        }.value
    }
}

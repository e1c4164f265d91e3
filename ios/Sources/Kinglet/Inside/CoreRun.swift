internal import KingletBindings

/// A stream that the core has begun, and what is held while it is read.
struct Begun: Sendable {
    let stream: TokenStream
    let leases: [Lease]
    /// Told of the end, before the reader is.
    var onDone: @Sendable (Outcome) -> Void = { _ in }
}

/// What one reader pulls from the core: one `next()` of the core's for each event. Nothing is read ahead, for that would
/// be computed in vain.
final class CoreRun: EventSource {
    private enum State {
        case new
        case running(Begun)
        case over
    }

    private let begin: @Sendable () async throws -> Begun
    private let watch: Watch
    private let state = Guarded(State.new)
    private let told = Guarded<ThrottleReason?>(nil)

    init(_ watch: Watch, begin: @escaping @Sendable () async throws -> Begun) {
        self.watch = watch
        self.begin = begin
    }

    func next() async throws -> Event? {
        do {
            return try await step()
        } catch {
            end()
            throw KingletError.own(error)
        }
    }

    private func step() async throws -> Event? {
        guard let begun = try await running() else { return nil }
        try Task.checkCancellation()
        if let event = throttled() { return event }
        // Cancelled, the core is told at once, by whoever cancels, and stops within one submission.
        let stream = begun.stream
        let event = try await unlessCancelled({ try await stream.next() }, onCancel: { stream.cancel() })
        try Task.checkCancellation()
        guard let event else {
            end()
            return nil
        }
        let own = Event(event)
        if case .done(let outcome) = own {
            begun.onDone(outcome)
            end()
        }
        return own
    }

    private func running() async throws -> Begun? {
        switch state.with({ $0 }) {
        case .running(let begun): return begun
        case .over: return nil
        case .new:
            try Task.checkCancellation()
            let begun = try await begin()
            state.with { $0 = .running(begun) }
            return begun
        }
    }

    private func throttled() -> Event? {
        let now = watch.reason
        return told.with { told in
            if now == told { return nil }
            told = now
            return .throttled(now)
        }
    }

    private func end() {
        let was = state.with { state in
            defer { state = .over }
            return state
        }
        guard case .running(let begun) = was else { return }
        begun.stream.cancel()
        for lease in begun.leases { lease.letGo() }
    }

    deinit {
        end()
    }
}

/// Counts the calls that run or wait, and the sessions that are in memory.
final class Activity: Sendable {
    private struct Counts {
        var calls = 0
        var sessions = 0
        var isUnloaded = false
        var isClosed = false

        var state: EngineState {
            if isClosed { return .closed }
            if calls > 0 { return .working }
            return isUnloaded ? .unloaded : .idle
        }
    }

    private let counts = Guarded(Counts())
    let shown = Broadcast(EngineState.idle)

    var isUnloaded: Bool {
        counts.with { $0.isUnloaded }
    }

    var isClosed: Bool {
        counts.with { $0.isClosed }
    }

    /// A call that runs or waits, until it lets go.
    func call() -> Lease {
        change { $0.calls += 1 }
        return Lease { self.change { $0.calls -= 1 } }
    }

    /// A session that is in memory, until it lets go.
    func session() -> Lease {
        change { $0.sessions += 1 }
        return Lease { self.change { $0.sessions -= 1 } }
    }

    /// Whether the engine is to be given back now: nobody uses it.
    func unload() -> Bool {
        change { counts in
            if counts.calls > 0 || counts.sessions > 0 || counts.isUnloaded || counts.isClosed { return false }
            counts.isUnloaded = true
            return true
        }
    }

    func load() {
        change { $0.isUnloaded = false }
    }

    func close() {
        change { $0.isClosed = true }
        shown.finish()
    }

    /// Shown under the lock, so that states are shown in the order in which they were.
    private func change<Answer>(_ change: (inout Counts) -> Answer) -> Answer {
        counts.with { counts in
            let answer = change(&counts)
            shown.set(counts.state)
            return answer
        }
    }
}

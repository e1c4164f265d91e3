/// A value that changes, and whoever wants to see that. A slow reader sees the newest value.
final class Broadcast<Value: Sendable & Equatable>: Sendable {
    private struct State {
        var value: Value
        var isOver = false
        var readers: [Int: AsyncStream<Value>.Continuation] = [:]
        var asked = 0
    }

    private let state: Guarded<State>

    init(_ value: Value) {
        state = Guarded(State(value: value))
    }

    var value: Value {
        state.with { $0.value }
    }

    /// The value now, and each change.
    var stream: AsyncStream<Value> {
        AsyncStream(bufferingPolicy: .bufferingNewest(1)) { reader in
            let number: Int? = state.with { state in
                reader.yield(state.value)
                if state.isOver { return nil }
                state.asked += 1
                state.readers[state.asked] = reader
                return state.asked
            }
            guard let number else { return reader.finish() }
            reader.onTermination = { [weak self] _ in
                self?.state.with { $0.readers[number] = nil }
            }
        }
    }

    func set(_ value: Value) {
        state.with { state in
            if value == state.value || state.isOver { return }
            state.value = value
            for reader in state.readers.values { reader.yield(value) }
        }
    }

    /// Nothing follows.
    func finish() {
        let readers = state.with { state in
            state.isOver = true
            defer { state.readers = [:] }
            return Array(state.readers.values)
        }
        // Without the lock, for they tell that they end.
        for reader in readers { reader.finish() }
    }

    deinit {
        finish()
    }
}

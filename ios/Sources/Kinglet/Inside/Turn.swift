/// One at a time, in the order of asking. Whoever is cancelled while waiting leaves.
final class Turn: Sendable {
    private struct State {
        var isTaken = false
        var asked = 0
        var waiting: [(number: Int, continuation: CheckedContinuation<Void, any Error>)] = []
    }

    private let state = Guarded(State())

    func take() async throws -> Lease {
        let number = state.with { state in
            state.asked += 1
            return state.asked
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { wait(number, $0) }
        } onCancel: {
            leave(number)
        }
        return Lease { self.pass() }
    }

    /// A turn that need not be waited for; none where another has it.
    func takeNow() -> Lease? {
        let isFree = state.with { state in
            defer { state.isTaken = true }
            return !state.isTaken
        }
        return isFree ? Lease { self.pass() } : nil
    }

    private func wait(_ number: Int, _ continuation: CheckedContinuation<Void, any Error>) {
        let answer: Result<Void, any Error>? = state.with { state in
            // Looked at under the lock, so that `leave` comes either before this or after it.
            if Task.isCancelled { return .failure(CancellationError()) }
            if state.isTaken {
                state.waiting.append((number, continuation))
                return nil
            }
            state.isTaken = true
            return .success(())
        }
        if let answer { continuation.resume(with: answer) }
    }

    private func leave(_ number: Int) {
        let left = state.with { state in
            state.waiting.firstIndex { $0.number == number }.map { state.waiting.remove(at: $0) }
        }
        left?.continuation.resume(throwing: CancellationError())
    }

    private func pass() {
        let next = state.with { state in
            state.isTaken = !state.waiting.isEmpty
            return state.waiting.isEmpty ? nil : state.waiting.removeFirst()
        }
        next?.continuation.resume()
    }
}

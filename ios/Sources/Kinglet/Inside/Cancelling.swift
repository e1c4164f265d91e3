/// Waits for a call of the core, but not once the task is cancelled: what the core does then nobody sees. It cannot be
/// left to the core to answer at once, for the call may still wait behind another one.
func unlessCancelled<Value: Sendable>(
    _ call: @escaping @Sendable () async throws -> Value,
    onCancel stop: @escaping @Sendable () -> Void
) async throws -> Value {
    try Task.checkCancellation()
    let waiting = Guarded<CheckedContinuation<Value, any Error>?>(nil)
    let end: @Sendable (Result<Value, any Error>) -> Void = { result in
        let continuation = waiting.with { waiting in
            defer { waiting = nil }
            return waiting
        }
        continuation?.resume(with: result)
    }
    return try await withTaskCancellationHandler {
        try await withCheckedThrowingContinuation { continuation in
            waiting.with { $0 = continuation }
            Task {
                do {
                    end(.success(try await call()))
                } catch {
                    end(.failure(error))
                }
            }
            // Cancelled before there was somebody to be told.
            if Task.isCancelled { end(.failure(CancellationError())) }
        }
    } onCancel: {
        stop()
        end(.failure(CancellationError()))
    }
}

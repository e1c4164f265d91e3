internal import KingletBindings

extension Work {
    /// Does something long, and tells how far it is. The core tells that when it is asked, so that no thread of its own
    /// comes into the app. The last news comes before this returns.
    func watched<Value: Sendable>(
        _ tell: (@Sendable (WorkProgress) -> Void)?,
        _ call: @escaping @Sendable (Work) async throws -> Value
    ) async throws -> Value {
        guard let tell else { return try await during(call) }
        let told = Guarded<WorkProgress?>(nil)
        let look: @Sendable () -> Void = {
            let now = self.progress()
            let isNews = told.with { told in
                defer { told = now }
                return told != now
            }
            if isNews { tell(now) }
        }
        let watcher = Task {
            while !Task.isCancelled {
                look()
                try? await Task.sleep(nanoseconds: 50_000_000)
            }
        }
        let result: Result<Value, any Error>
        do {
            result = .success(try await during(call))
        } catch {
            result = .failure(error)
        }
        watcher.cancel()
        await watcher.value
        if case .success = result { look() }
        return try result.get()
    }
}

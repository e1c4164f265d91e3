/// Makes digests of lists of notifications. What all of them share of the prompt is computed once and kept by the engine,
/// from one digest to the next.
public struct Summarizer: Sendable {
    /// The most notifications of one digest.
    public static let mostAtOnce = 100

    private let make: @Sendable ([NotificationText]) -> EventStream

    /// A summarizer on an engine.
    public init(_ engine: Engine) {
        make = { engine.digest($0) }
    }

    /// A summarizer on ready events, for previews and tests.
    public init(_ digest: @escaping @Sendable ([NotificationText]) -> EventStream) {
        make = digest
    }

    /// One sentence for each app that had something to say; ``Outcome/groups`` has them one by one.
    public func digest(_ notifications: [NotificationText]) -> EventStream {
        make(notifications)
    }

    /// Makes a digest of what waits in a queue, the oldest first, and keeps it there; `nil` where nothing waits. At most
    /// ``mostAtOnce`` notifications are in one digest.
    ///
    /// Cancelled, failed or killed at any moment, all of them wait as before.
    ///
    /// - Parameter tell: Given the events on the way, but for the last.
    public func drain(
        _ queue: SummaryQueue,
        tell: @escaping @Sendable (Event) async -> Void = { _ in }
    ) async throws -> StoredDigest? {
        try await queue.drain(limit: Self.mostAtOnce) { notifications in
            for try await event in digest(notifications) {
                guard case .done(let outcome) = event else {
                    await tell(event)
                    continue
                }
                // Cut off by whoever closed the engine: a half must not pass for the whole.
                if outcome.stats.stop == .cancelled { throw KingletError.closed }
                return outcome
            }
            throw KingletError.internal("Kinglet failed inside: a digest ended without its last event; report this")
        }
    }

    /// Makes digests until nothing waits any more, and returns how many.
    @discardableResult
    public func drainAll(_ queue: SummaryQueue) async throws -> Int {
        var made = 0
        while try await drain(queue) != nil { made += 1 }
        return made
    }
}

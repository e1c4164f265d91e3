import Kinglet

/// Notifications that wait for their digest, and the digests made so far.
public protocol Inbox: Sendable {
    /// Something now, and after each change.
    var changes: AsyncStream<Void> { get async }

    /// False where that key waits already or is in a digest already.
    func add(key: String, notification: NotificationText) async throws -> Bool

    /// The oldest first.
    func waiting() async throws -> [NotificationText]

    /// The newest first.
    func history() async throws -> [StoredDigest]

    /// Forgets a digest and what it was made of.
    func delete(id: StoredDigest.ID) async throws

    /// Everything goes.
    func clear() async throws
}

/// The package's queue, which is a file: it outlives the process.
public struct QueueInbox: Inbox {
    private let queue: SummaryQueue

    /// Over this queue.
    public init(queue: SummaryQueue) {
        self.queue = queue
    }

    public var changes: AsyncStream<Void> {
        queue.changes
    }

    public func add(key: String, notification: NotificationText) async throws -> Bool {
        try await queue.add(key: key, notification: notification)
    }

    public func waiting() async throws -> [NotificationText] {
        try await queue.waiting()
    }

    public func history() async throws -> [StoredDigest] {
        try await queue.history()
    }

    public func delete(id: StoredDigest.ID) async throws {
        try await queue.delete(id: id)
    }

    public func clear() async throws {
        try await queue.clear()
    }
}

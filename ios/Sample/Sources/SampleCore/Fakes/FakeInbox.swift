import Foundation
import Kinglet

/// An inbox in memory.
public actor FakeInbox: Inbox {
    private var keys: Set<String> = []
    private var waits: [NotificationText]
    private var digests: [StoredDigest]
    private var listeners: [UUID: AsyncStream<Void>.Continuation] = [:]
    private var failure: (any Error)?

    /// With this in it.
    public init(waiting: [NotificationText] = [], history: [StoredDigest] = []) {
        waits = waiting
        digests = history
    }

    public var changes: AsyncStream<Void> {
        let id = UUID()
        return AsyncStream(bufferingPolicy: .bufferingNewest(1)) { continuation in
            listeners[id] = continuation
            continuation.onTermination = { _ in Task { await self.forget(id) } }
            continuation.yield()
        }
    }

    /// Changes fail with this from now on.
    public func fail(with error: any Error) {
        failure = error
    }

    public func add(key: String, notification: NotificationText) throws -> Bool {
        if let failure { throw failure }
        guard keys.insert(key).inserted else { return false }
        waits.append(notification)
        tell()
        return true
    }

    public func waiting() -> [NotificationText] { waits }

    public func history() -> [StoredDigest] { digests }

    public func delete(id: StoredDigest.ID) throws {
        if let failure { throw failure }
        digests.removeAll { $0.id == id }
        tell()
    }

    public func clear() throws {
        if let failure { throw failure }
        keys = []
        waits = []
        digests = []
        tell()
    }

    func digest(_ text: String) {
        digests.insert(Believable.digest(id: digests.count + 1, text, of: waits), at: 0)
        waits = []
        tell()
    }

    private func forget(_ id: UUID) {
        listeners[id] = nil
    }

    private func tell() {
        for listener in listeners.values { listener.yield() }
    }
}

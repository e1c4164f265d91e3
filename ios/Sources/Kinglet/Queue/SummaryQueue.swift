import Foundation

/// Notifications that wait for their summary, and the digests made of them, in a file of the app.
///
/// What was added is there when the process is gone and comes back. A digest and the notifications that it is made of
/// change sides in one step, so nothing is summarised twice and nothing is lost, whenever the process ends. Queues of the
/// same file are the same queue; an extension may share it with its app through a folder of their group.
public actor SummaryQueue {
    private let journal: Journal
    private let shared: Shared

    /// The queue in a file, which is made with the first addition.
    public init(file: URL) {
        let file = file.standardizedFileURL
        journal = Journal(file)
        shared = Shared.of(file)
    }

    /// Something now, and after each change by this process.
    public nonisolated var changes: AsyncStream<Void> {
        let versions = shared.version.stream
        return AsyncStream(bufferingPolicy: .bufferingNewest(1)) { reader in
            let task = Task {
                for await _ in versions { reader.yield() }
                reader.finish()
            }
            reader.onTermination = { _ in task.cancel() }
        }
    }

    /// Adds a notification; false where its key waits already or was summarised. A key names one content: of a
    /// notification that was updated it must be another one, made of its time for instance.
    @discardableResult
    public func add(key: String, notification: NotificationText) throws -> Bool {
        try change { state in
            state.seen[key] == nil ? .add(key: key, notification: notification, at: Date()) : nil
        } != nil
    }

    /// The notification is gone: if it still waits, it does not any more.
    public func remove(key: String) throws {
        try change { state in state.waiting.contains { $0.key == key } ? .remove(key: key) : nil }
    }

    /// What waits, the oldest first.
    public func waiting() throws -> [NotificationText] {
        try journal.read().waiting.map(\.notification)
    }

    /// The last digests, the newest first.
    public func history(limit: Int = 50) throws -> [StoredDigest] {
        try journal.read().digests.suffix(max(limit, 0)).reversed()
    }

    /// Forgets a digest and the texts that it was made of; they are not summarised again.
    public func delete(id: Int) throws {
        try change { state in state.digests.contains { $0.id == id } ? .delete(id: id) : nil }
    }

    /// Forgets everything: what waits, all digests, and which notifications there were.
    public func clear() throws {
        try change { _ in .clear }
    }

    /// Makes a digest of up to `limit` that wait. One at a time, whoever asks.
    func drain(
        limit: Int,
        summarize: @Sendable ([NotificationText]) async throws -> Outcome
    ) async throws -> StoredDigest? {
        let lease = try await shared.draining.take()
        defer { lease.letGo() }
        let waiting = try journal.read().waiting.prefix(limit)
        if waiting.isEmpty { return nil }
        let outcome = try await summarize(waiting.map(\.notification))
        let keys = Set(waiting.map(\.key))
        let after = try change { state in
            // Another process may have been faster with some of them, or with all.
            let still = state.waiting.map(\.key).filter(keys.contains)
            return still.isEmpty ? nil : .digest(keys: still, text: outcome.text, groups: outcome.groups, at: Date())
        }
        return after?.digests.last
    }

    @discardableResult
    private func change(_ wanted: (QueueState) -> QueueState.Change?) throws -> QueueState? {
        let after = try journal.change(wanted)
        if after != nil { shared.version.set(shared.version.value &+ 1) }
        return after
    }
}

/// What the queues of one file share in this process.
private final class Shared: Sendable {
    let version = Broadcast(0)
    let draining = Turn()

    private struct Weak {
        weak var shared: Shared?
    }

    private static let all = Guarded<[String: Weak]>([:])

    static func of(_ file: URL) -> Shared {
        all.with { all in
            all = all.filter { $0.value.shared != nil }
            if let shared = all[file.path]?.shared { return shared }
            let shared = Shared()
            all[file.path] = Weak(shared: shared)
            return shared
        }
    }
}

import Foundation

/// A digest that was made, and of what.
public struct StoredDigest: Sendable, Hashable, Codable, Identifiable {
    /// Its name in the queue.
    public var id: Int
    /// When.
    public var madeAt: Date
    /// The whole text.
    public var text: String
    /// One for each app.
    public var groups: [DigestGroup]
    /// What it was made of.
    public var notifications: [NotificationText]

    /// A digest, for previews and tests.
    public init(id: Int, madeAt: Date, text: String, groups: [DigestGroup], notifications: [NotificationText]) {
        self.id = id
        self.madeAt = madeAt
        self.text = text
        self.groups = groups
        self.notifications = notifications
    }
}

/// What a queue holds, made of its changes one after the other.
struct QueueState: Codable, Equatable {
    struct Waiting: Codable, Equatable {
        let key: String
        let notification: NotificationText
    }

    /// The oldest first.
    private(set) var waiting: [Waiting] = []
    private(set) var digests: [StoredDigest] = []
    /// Every key, and when it came.
    private(set) var seen: [String: Date] = [:]
    /// Digests made so far.
    private(set) var made = 0

    /// One line of the journal.
    enum Change: Codable, Equatable {
        case add(key: String, notification: NotificationText, at: Date)
        case remove(key: String)
        case digest(keys: [String], text: String, groups: [DigestGroup], at: Date)
        case delete(id: Int)
        case clear
        /// All that came before, in one.
        case whole(QueueState)
    }

    mutating func apply(_ change: Change) {
        switch change {
        case .add(let key, let notification, let at):
            if seen.updateValue(at, forKey: key) != nil { return }
            waiting.append(Waiting(key: key, notification: notification))
        case .remove(let key):
            waiting.removeAll { $0.key == key }
        case .digest(let keys, let text, let groups, let at):
            digest(Set(keys), text, groups, at)
        case .delete(let id):
            digests.removeAll { $0.id == id }
        case .clear:
            self = QueueState()
        case .whole(let state):
            self = state
        }
    }

    /// Those notifications are in this digest now.
    private mutating func digest(_ keys: Set<String>, _ text: String, _ groups: [DigestGroup], _ at: Date) {
        let taken = waiting.filter { keys.contains($0.key) }.map(\.notification)
        waiting.removeAll { keys.contains($0.key) }
        made += 1
        digests.append(StoredDigest(id: made, madeAt: at, text: text, groups: groups, notifications: taken))
        // Keys are kept for a month, so that notifications posted again and again do not make the file grow for ever.
        let still = Set(waiting.map(\.key))
        seen = seen.filter { key, came in still.contains(key) || at.timeIntervalSince(came) < Self.month }
    }

    private static let month: TimeInterval = 30 * 24 * 60 * 60
}

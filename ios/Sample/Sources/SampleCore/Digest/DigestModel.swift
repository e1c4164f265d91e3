import Kinglet
import Observation

/// What waits, the digest that is made, and those made before.
@MainActor
@Observable
public final class DigestModel {
    /// The oldest first.
    public private(set) var waiting: [NotificationText] = []
    /// The newest first.
    public private(set) var history: [StoredDigest] = []
    /// What went wrong beside the digest itself.
    public private(set) var problem: Problem?
    /// Digests are made in the background, as far as the system goes along. Where it does not, this goes back.
    public var background: Bool {
        get { inBackground }
        set { Task { await setBackground(newValue) } }
    }
    /// The digest that is made.
    public let answer = Answer()

    private var inBackground = false
    @ObservationIgnored private let parts: Parts

    /// Shows nothing before ``watch()``.
    public init(parts: Parts) {
        self.parts = parts
    }

    /// Shows what there is, now and after each change, until it is cancelled.
    public func watch() async {
        inBackground = await parts.choices.now.backgroundDigests
        await collect()
        for await _ in await parts.inbox.changes { await show() }
    }

    /// Takes in what the system has.
    public func collect() async {
        await trying {
            for notification in await parts.notifications.delivered() {
                _ = try await parts.inbox.add(key: notification.key, notification: notification.text)
            }
        }
    }

    /// Posts some notifications to try it with.
    public func postDemo() async {
        await trying {
            for notification in Demo.notifications() { try await parts.notifications.post(notification) }
        }
        await collect()
    }

    /// Makes a digest of all that waits.
    public func make() {
        answer.begin(parts.assistant.digest())
    }

    /// Ends what runs; all of it waits as before.
    public func stop() {
        answer.stop()
    }

    /// Nothing is said of the last digest and the last problem any more.
    public func dismiss() {
        answer.clear()
        problem = nil
    }

    func setBackground(_ on: Bool) async {
        await trying {
            try await parts.background.set(on)
            try await parts.choices.change { $0.backgroundDigests = on }
        }
        inBackground = await parts.choices.now.backgroundDigests
    }

    /// The app goes to the background. The system forgets what it has done once, so it is asked again.
    public func leave() async {
        if background { await trying { try await parts.background.set(true) } }
    }

    /// Forgets a digest and what it was made of.
    public func delete(_ digest: StoredDigest) async {
        await trying { try await parts.inbox.delete(id: digest.id) }
    }

    /// Forgets what waits, all digests and the last report. Models stay.
    public func clear() async {
        dismiss()
        await trying {
            // Else they would be taken in again.
            await parts.notifications.removeAll()
            try await parts.inbox.clear()
            try parts.reports.clear()
        }
    }

    private func show() async {
        await trying {
            waiting = try await parts.inbox.waiting()
            history = try await parts.inbox.history()
        }
    }

    private func trying(_ work: () async throws -> Void) async {
        do {
            try await work()
        } catch {
            problem = Problem(error) ?? problem
        }
    }
}

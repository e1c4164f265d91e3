import Foundation

/// A notification centre in memory.
public actor FakeNotifications: Notifications {
    private var shown: [Delivered]
    private let refused: Bool

    /// With these in it. The person may have refused more.
    public init(_ shown: [Delivered] = [], refused: Bool = false) {
        self.shown = shown
        self.refused = refused
    }

    public func delivered() -> [Delivered] { shown }

    public func post(_ notification: Delivered) throws {
        if refused { throw NotAllowedError() }
        shown.append(notification)
    }

    public func removeAll() {
        shown = []
    }
}

/// Remembers what it was told.
public actor FakeBackgroundDigests: BackgroundDigests {
    /// As it was set.
    public private(set) var on = false
    /// How often it was asked.
    public private(set) var times = 0
    private let failure: (any Error)?

    /// Fails with this, if anything.
    public init(failure: (any Error)? = nil) {
        self.failure = failure
    }

    public func set(_ on: Bool) throws {
        if let failure { throw failure }
        self.on = on
        times += 1
    }
}

extension Parts {
    /// Parts that need no model and no system, with their files in a folder of their own.
    public static func fake(
        assistant: (any Assistant)? = nil,
        doctor: any Doctor = FakeDoctor(),
        models: any ModelStore = FakeModels([Believable.model, Believable.tooLarge]),
        inbox: FakeInbox = FakeInbox(waiting: Believable.notifications),
        notifications: any Notifications = FakeNotifications(),
        background: any BackgroundDigests = FakeBackgroundDigests(),
        folder: URL = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString),
        settle: @escaping @Sendable () async -> Void = {}
    ) -> Parts {
        Parts(
            assistant: assistant ?? FakeAssistant(inbox: inbox),
            doctor: doctor,
            models: models,
            inbox: inbox,
            notifications: notifications,
            background: background,
            choices: ChoicesFile(file: folder.appendingPathComponent("choices.json")),
            reports: ReportFiles(folder: folder.appendingPathComponent("Reports")),
            handover: Handover(folder: folder.appendingPathComponent("Shared")),
            loading: Loading(),
            settle: settle
        )
    }
}

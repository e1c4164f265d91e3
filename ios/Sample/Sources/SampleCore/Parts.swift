import Foundation
import Kinglet

/// What the whole process shares.
@MainActor
public final class Parts {
    /// Answers.
    public let assistant: any Assistant
    /// Examines.
    public let doctor: any Doctor
    /// Keeps models.
    public let models: any ModelStore
    /// Keeps notifications and digests.
    public let inbox: any Inbox
    /// The system's.
    public let notifications: any Notifications
    /// The system's.
    public let background: any BackgroundDigests
    /// What the person decided.
    public let choices: ChoicesFile
    /// The last report.
    public let reports: ReportFiles
    /// What the share extension left.
    public let handover: Handover
    /// How far the model is on its way into memory.
    public let loading: Loading
    /// Lets go of a model that is not chosen any more.
    public let settle: @Sendable () async -> Void

    /// Of parts.
    public init(
        assistant: any Assistant,
        doctor: any Doctor,
        models: any ModelStore,
        inbox: any Inbox,
        notifications: any Notifications,
        background: any BackgroundDigests,
        choices: ChoicesFile,
        reports: ReportFiles,
        handover: Handover,
        loading: Loading,
        settle: @escaping @Sendable () async -> Void
    ) {
        self.assistant = assistant
        self.doctor = doctor
        self.models = models
        self.inbox = inbox
        self.notifications = notifications
        self.background = background
        self.choices = choices
        self.reports = reports
        self.handover = handover
        self.loading = loading
        self.settle = settle
    }
}

/// What the app is made of where a real model works.
public struct Places: Sendable {
    /// Kept, as Application Support is.
    public var kept: URL
    /// May go at any time, as Caches may.
    public var passing: URL
    /// Seen by the share extension too.
    public var shared: URL

    /// Three folders.
    public init(kept: URL, passing: URL, shared: URL) {
        self.kept = kept
        self.passing = passing
        self.shared = shared
    }
}

extension Parts {
    /// The real ones, over the package.
    public convenience init(
        in places: Places,
        notifications: any Notifications,
        device: Device = .automatic,
        background: (SummaryQueue, OpenModel) -> any BackgroundDigests,
        hash: @escaping @Sendable () -> any FileHash
    ) throws {
        let choices = ChoicesFile(file: places.kept.appendingPathComponent("choices.json"))
        let models = try ModelFolder(
            folder: places.kept.appendingPathComponent("Models"),
            choices: choices,
            device: device,
            hash: hash
        )
        let loading = Loading()
        let model = OpenModel(models: models, loading: loading, device: device)
        let queue = SummaryQueue(file: places.kept.appendingPathComponent("digests.json"))
        self.init(
            assistant: KingletAssistant(model: model, queue: queue),
            doctor: KingletDoctor(model: model),
            models: models,
            inbox: QueueInbox(queue: queue),
            notifications: notifications,
            background: background(queue, model),
            choices: choices,
            reports: ReportFiles(folder: places.passing.appendingPathComponent("Reports")),
            handover: Handover(folder: places.shared),
            loading: loading,
            settle: { await model.settle() }
        )
    }
}

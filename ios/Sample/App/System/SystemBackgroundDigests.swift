import BackgroundTasks
import Foundation
import Kinglet
import SampleCore

/// Digests that the system has made while nobody uses the app.
struct SystemBackgroundDigests: BackgroundDigests {
    /// As it stands in Info.plist.
    private static let identifier = "dev.kinglet.sample.digest"

    private let digest: BackgroundDigest

    /// Tells the system what to do, which it wants to know before the launch is over.
    init(queue: SummaryQueue, model: OpenModel) {
        digest = BackgroundDigest(identifier: Self.identifier, queue: queue, open: { try await model.another() })
        digest.register()
    }

    func set(_ on: Bool) async throws {
        if on {
            try digest.schedule(earliest: Date(timeIntervalSinceNow: 60 * 60))
        } else {
            BGTaskScheduler.shared.cancel(taskRequestWithIdentifier: Self.identifier)
        }
    }
}

import Foundation
import Kinglet

/// In Kinglet on iOS, and only there.
public struct BackgroundDigest: Sendable {
    public init(
        identifier: String,
        queue: SummaryQueue,
        open: @escaping @Sendable () async throws -> Engine,
        finished: @escaping @Sendable ([StoredDigest]) async -> Void = { _ in }
    ) {}
    @discardableResult
    public func register() -> Bool { false }
    public func schedule(earliest: Date? = nil, needsPower: Bool = true) throws {}
}

public final class BGTaskScheduler: NSObject {
    public class var shared: BGTaskScheduler { BGTaskScheduler() }
    public func cancel(taskRequestWithIdentifier identifier: String) {}
}

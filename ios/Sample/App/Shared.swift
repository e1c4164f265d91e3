import Foundation
import SampleCore

/// The parts of this process: the screens, the shortcut and the background use the same ones.
@MainActor
enum Shared {
    static let parts = Result { () throws -> Parts in
        let manager = FileManager.default
        let kept = try manager.url(
            for: .applicationSupportDirectory, in: .userDomainMask, appropriateFor: nil, create: true)
        let passing = try manager.url(for: .cachesDirectory, in: .userDomainMask, appropriateFor: nil, create: true)
        let places = Places(
            kept: kept,
            passing: passing,
            // Without the entitlement nothing can be shared with the app, and the rest works.
            shared: manager.containerURL(forSecurityApplicationGroupIdentifier: Handover.group) ?? passing
        )
        return try Parts(
            in: places,
            notifications: SystemNotifications(),
            background: { queue, model in SystemBackgroundDigests(queue: queue, model: model) },
            hash: { SHA256Hash() }
        )
    }
}

import Foundation
import SampleCore
import UserNotifications

/// The system's notification centre.
struct SystemNotifications: SampleCore.Notifications {
    func delivered() async -> [Delivered] {
        await withCheckedContinuation { continuation in
            UNUserNotificationCenter.current().getDeliveredNotifications { notifications in
                continuation.resume(returning: notifications.map(Delivered.init))
            }
        }
    }

    func post(_ notification: Delivered) async throws {
        let center = UNUserNotificationCenter.current()
        guard try await center.requestAuthorization(options: [.alert, .sound]) else { throw NotAllowedError() }
        let content = UNMutableNotificationContent()
        content.threadIdentifier = notification.thread
        content.title = notification.title
        content.body = notification.body
        try await center.add(UNNotificationRequest(identifier: notification.id, content: content, trigger: nil))
    }

    func removeAll() async {
        UNUserNotificationCenter.current().removeAllDeliveredNotifications()
    }
}

extension Delivered {
    init(_ notification: UNNotification) {
        let content = notification.request.content
        self.init(
            id: notification.request.identifier,
            thread: content.threadIdentifier,
            title: content.title,
            body: content.body,
            date: notification.date
        )
    }
}

/// Lets notifications be seen while the app is open too; otherwise they would never be delivered.
final class Banners: NSObject, UNUserNotificationCenterDelegate, Sendable {
    func show() {
        UNUserNotificationCenter.current().delegate = self
    }

    func userNotificationCenter(
        _ center: UNUserNotificationCenter,
        willPresent notification: UNNotification,
        withCompletionHandler completionHandler: @escaping (UNNotificationPresentationOptions) -> Void
    ) {
        completionHandler([.banner, .list])
    }
}

import Foundation

open class UNNotificationContent: NSObject {
    public var threadIdentifier: String { "" }
    public var title: String { "" }
    public var body: String { "" }
}

public final class UNMutableNotificationContent: UNNotificationContent {
    public override var threadIdentifier: String {
        get { "" }
        set {}
    }
    public override var title: String {
        get { "" }
        set {}
    }
    public override var body: String {
        get { "" }
        set {}
    }
}

public class UNNotificationTrigger: NSObject {}

public class UNNotificationRequest: NSObject {
    public var identifier: String { "" }
    public var content: UNNotificationContent { UNNotificationContent() }
    public init(identifier: String, content: UNNotificationContent, trigger: UNNotificationTrigger?) {}
}

public class UNNotification: NSObject {
    public let date = Date()
    public let request = UNNotificationRequest(identifier: "", content: UNNotificationContent(), trigger: nil)
}

public struct UNAuthorizationOptions: OptionSet, Sendable {
    public static let alert = UNAuthorizationOptions(rawValue: 1)
    public static let sound = UNAuthorizationOptions(rawValue: 2)
    public let rawValue: Int
    public init(rawValue: Int) { self.rawValue = rawValue }
}

public struct UNNotificationPresentationOptions: OptionSet, Sendable {
    public static let banner = UNNotificationPresentationOptions(rawValue: 1)
    public static let list = UNNotificationPresentationOptions(rawValue: 2)
    public let rawValue: Int
    public init(rawValue: Int) { self.rawValue = rawValue }
}

public protocol UNUserNotificationCenterDelegate: NSObjectProtocol {
    func userNotificationCenter(
        _ center: UNUserNotificationCenter,
        willPresent notification: UNNotification,
        withCompletionHandler completionHandler: @escaping (UNNotificationPresentationOptions) -> Void
    )
}

public class UNUserNotificationCenter: NSObject {
    public weak var delegate: (any UNUserNotificationCenterDelegate)?
    public class func current() -> UNUserNotificationCenter { UNUserNotificationCenter() }
    public func getDeliveredNotifications(completionHandler: @escaping @Sendable ([UNNotification]) -> Void) {}
    public func removeAllDeliveredNotifications() {}
    public func requestAuthorization(options: UNAuthorizationOptions = []) async throws -> Bool { false }
    public func add(_ request: UNNotificationRequest) async throws {}
}

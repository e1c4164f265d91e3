import Foundation
import Kinglet

/// A notification of this app, as the system has it.
public struct Delivered: Equatable, Sendable {
    /// Its name with the system.
    public var id: String
    /// What it is about; the system shows those of one thread together.
    public var thread: String
    /// Who or what it is from.
    public var title: String
    /// What it says.
    public var body: String
    /// When it came.
    public var date: Date

    /// A notification.
    public init(id: String, thread: String, title: String, body: String, date: Date) {
        self.id = id
        self.thread = thread
        self.title = title
        self.body = body
        self.date = date
    }

    /// Names this content: one that was replaced has another time.
    var key: String { "\(id)#\(date.timeIntervalSince1970)" }

    var text: NotificationText {
        NotificationText(
            app: thread.isEmpty ? Phrase.appName.text : thread,
            title: title,
            text: body,
            time: date.formatted(.iso8601)
        )
    }
}

/// The system's notifications of this app. It gives no app those of another.
public protocol Notifications: Sendable {
    /// Those that are in the notification centre.
    func delivered() async -> [Delivered]

    /// Posts one to this device. The person is asked for leave before the first one.
    func post(_ notification: Delivered) async throws

    /// Takes all of them out of the notification centre.
    func removeAll() async
}

/// The person does not let the app notify.
public struct NotAllowedError: LocalizedError {
    /// The only one there is.
    public init() {}

    public var errorDescription: String? { Phrase.notificationsRefused.text }
}

import Foundation

/// Why something did not work, for a screen to say.
public enum Problem: Equatable, Sendable {
    /// A model has to be chosen first.
    case noModel
    /// The device has no room for a copy; bytes.
    case noRoom(needed: Int64, free: Int64)
    /// In the words of whatever failed: the library's messages name the thing and the way out.
    case said(String)

    /// What is to be said of an error; nothing of one that only says that somebody left.
    public init?(_ error: any Error) {
        switch error {
        case is CancellationError: return nil
        case is NoModelError: self = .noModel
        case let error as NoRoomError: self = .noRoom(needed: error.needed, free: error.free)
        case let error as any LocalizedError: self = .said(error.errorDescription ?? "\(error)")
        default: self = .said(error.localizedDescription)
        }
    }
}

import Foundation

/// Hands a text from the share extension, which has no room for a model, to the app. Both see the folder.
public struct Handover: Sendable {
    /// The group of the app and its extension.
    public static let group = "group.dev.kinglet.sample"

    private let file: URL

    /// In a folder that both can write to.
    public init(folder: URL) {
        file = folder.appendingPathComponent("shared.txt")
    }

    /// Leaves a text for the app, in place of an earlier one.
    public func put(_ text: String) throws {
        let folder = file.deletingLastPathComponent()
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try Data(text.utf8).write(to: file, options: .atomic)
    }

    /// Takes the text away, if there is one.
    public func take() -> String? {
        guard let data = try? Data(contentsOf: file) else { return nil }
        try? FileManager.default.removeItem(at: file)
        return String(decoding: data, as: UTF8.self)
    }
}

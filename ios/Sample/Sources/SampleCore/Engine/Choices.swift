import Foundation

/// What the person decided.
public struct Choices: Codable, Equatable, Sendable {
    /// File name of the model that is used.
    public var model: String?
    /// Digests are made in the background.
    public var backgroundDigests = false

    /// Nothing was decided yet.
    public init() {}
}

/// ``Choices``, kept in a small file. One that cannot be read is as if nothing was decided.
public actor ChoicesFile {
    private let file: URL
    /// As of now.
    public private(set) var now: Choices

    /// Reads the file.
    public init(file: URL) {
        self.file = file
        let read = try? JSONDecoder().decode(Choices.self, from: Data(contentsOf: file))
        now = read ?? Choices()
    }

    /// Writes it anew, or leaves it as it was.
    public func change(_ edit: @Sendable (inout Choices) -> Void) throws {
        var next = now
        edit(&next)
        if next == now { return }
        let folder = file.deletingLastPathComponent()
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try JSONEncoder().encode(next).write(to: file, options: .atomic)
        now = next
    }
}

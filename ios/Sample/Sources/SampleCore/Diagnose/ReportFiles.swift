import Foundation

/// The last report as a file that can be shared. The folder holds nothing else.
public struct ReportFiles: Sendable {
    private let folder: URL

    /// In this folder, which the app alone uses.
    public init(folder: URL) {
        self.folder = folder
    }

    private var file: URL { folder.appendingPathComponent("kinglet-report.html") }

    /// In place of the one before.
    public func write(_ html: String) throws -> URL {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try Data(html.utf8).write(to: file, options: .atomic)
        return file
    }

    /// The last one, if it is there still.
    public var last: URL? {
        FileManager.default.fileExists(atPath: file.path) ? file : nil
    }

    /// It goes.
    public func clear() throws {
        if let last { try FileManager.default.removeItem(at: last) }
    }
}

import Foundation

/// A file of changes, one a line, and what they come to. A change is there once its whole line is: a line that was torn
/// by the end of a process never happened.
///
/// An app and its extensions may have the same file open, each with a journal of its own.
final class Journal {
    private let file: URL
    private let lock: URL
    private var state = QueueState()
    private var known = Known()

    /// As far as the file was read, by whole lines.
    private struct Known {
        var inode: UInt64 = 0
        var bytes = 0
        var lines = 0
    }

    /// With more lines than this the file is written anew, in one.
    private static let mostLines = 256

    init(_ file: URL) {
        self.file = file
        lock = file.appendingPathExtension("lock")
    }

    /// What is in the file now.
    func read() throws -> QueueState {
        try locked { try load() }
        return state
    }

    /// Makes a change out of what is in the file now, and returns what that comes to once it is on the disk; none where
    /// no change is wanted.
    func change(_ wanted: (QueueState) -> QueueState.Change?) throws -> QueueState? {
        try locked {
            try load()
            guard let change = wanted(state) else { return nil }
            try append(change)
            if known.lines > Self.mostLines { try compact() }
            return state
        }
    }

    /// While nobody else, of this process or another, reads or changes the file. Never for long: iOS ends an app that is
    /// suspended with a lock.
    private func locked<Answer>(_ body: () throws -> Answer) throws -> Answer {
        let folder = file.deletingLastPathComponent()
        do {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        } catch {
            throw KingletError.io("cannot make the folder \(folder.path): \(error.localizedDescription)")
        }
        return try Disk.with(lock) { handle in
            try handle.lock()
            return try body()
        }
    }

    /// Reads what is new.
    private func load() throws {
        try Disk.with(file) { handle in
            let (inode, size) = try handle.facts()
            if inode != known.inode || size < known.bytes {
                state = QueueState()
                known = Known(inode: inode)
            }
            guard size > known.bytes else { return }
            let news = try handle.read(from: known.bytes, to: size)
            // What follows the last end of a line was torn.
            guard let end = news.lastIndex(of: Self.newline) else { return }
            for line in news[..<end].split(separator: Self.newline) { take(line) }
            known.bytes += end + 1
        }
    }

    private func take(_ line: Data) {
        known.lines += 1
        do {
            state.apply(try JSONDecoder().decode(QueueState.Change.self, from: line))
        } catch {
            Log.warning("line \(known.lines) of \(file.path) cannot be read, and is left out")
        }
    }

    private func append(_ change: QueueState.Change) throws {
        let line = try JSONEncoder().encode(change) + [Self.newline]
        try Disk.with(file) { try $0.write(line, at: known.bytes) }
        known.bytes += line.count
        known.lines += 1
        state.apply(change)
    }

    /// Writes all anew, in a file that takes the old one's place.
    private func compact() throws {
        let line = try JSONEncoder().encode(QueueState.Change.whole(state)) + [Self.newline]
        let next = file.appendingPathExtension("next")
        known.inode = try Disk.with(next) { handle in
            try handle.write(line, at: 0)
            return try handle.facts().inode
        }
        guard rename(next.path, file.path) == 0 else { throw Disk.failure("replace", file) }
        (known.bytes, known.lines) = (line.count, 1)
    }

    private static let newline = UInt8(ascii: "\n")
}

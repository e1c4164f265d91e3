import Foundation

/// An open file, by the system's own calls: Foundation has none that lock, and few that say why they failed.
struct Disk {
    private let file: URL
    private let handle: Int32

    /// Opens a file, which is made where there is none, and closes it after.
    static func with<Answer>(_ file: URL, _ body: (Disk) throws -> Answer) throws -> Answer {
        let handle = open(file.path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard handle >= 0 else { throw failure("open", file) }
        defer { close(handle) }
        return try body(Disk(file: file, handle: handle))
    }

    /// Waits until nobody else has the lock, which goes when the file is closed.
    func lock() throws {
        while flock(handle, LOCK_EX) != 0 {
            if errno != EINTR { throw Disk.failure("lock", file) }
        }
    }

    func facts() throws -> (inode: UInt64, size: Int) {
        var facts = stat()
        guard fstat(handle, &facts) == 0 else { throw Disk.failure("read", file) }
        return (UInt64(facts.st_ino), Int(facts.st_size))
    }

    func read(from start: Int, to end: Int) throws -> Data {
        var data = Data(count: end - start)
        let count = try data.withUnsafeMutableBytes { bytes in
            try all(bytes.count, "read") { done, left in
                pread(handle, bytes.baseAddress?.advanced(by: done), left, off_t(start + done))
            }
        }
        return data.prefix(count)
    }

    /// Writes at a place, after which the file ends; returns once it is on the disk.
    func write(_ data: Data, at place: Int) throws {
        guard ftruncate(handle, off_t(place)) == 0 else { throw Disk.failure("write", file) }
        do {
            let count = try data.withUnsafeBytes { bytes in
                try all(bytes.count, "write") { done, left in
                    pwrite(handle, bytes.baseAddress?.advanced(by: done), left, off_t(place + done))
                }
            }
            guard count == data.count, fsync(handle) == 0 else { throw Disk.failure("write", file) }
        } catch {
            // As it was. If that fails too, what is left has no end of a line, and so does not count.
            ftruncate(handle, off_t(place))
            throw error
        }
    }

    /// The system may do a part at a time: `(done, left)` gives how much was done now.
    private func all(_ count: Int, _ what: String, _ step: (Int, Int) -> Int) throws -> Int {
        var done = 0
        while done < count {
            let now = step(done, count - done)
            if now < 0 && errno == EINTR { continue }
            if now < 0 { throw Disk.failure(what, file) }
            if now == 0 { break }
            done += now
        }
        return done
    }

    static func failure(_ what: String, _ file: URL) -> KingletError {
        .io("cannot \(what) \(file.path): \(String(cString: strerror(errno)))")
    }
}

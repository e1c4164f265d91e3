import Foundation

/// A hash that is computed piece by piece. The app brings its own, since the system's is not everywhere.
public protocol FileHash {
    /// The next piece.
    mutating func update(_ data: Data)

    /// Of all pieces, in hexadecimal.
    func hexadecimal() -> String
}

/// Copies a file and computes its hash on the way, so that gigabytes are read once.
enum HashingCopy {
    private static let piece = 1 << 20

    /// The hash. `progress` gets the bytes so far. Cancelling ends it between two pieces.
    static func copy(
        from source: URL,
        to target: URL,
        hash: any FileHash,
        progress: (Int64) -> Void
    ) async throws -> String {
        var hash = hash
        let input = try FileHandle(forReadingFrom: source)
        defer { try? input.close() }
        try Data().write(to: target)
        let output = try FileHandle(forWritingTo: target)
        defer { try? output.close() }
        var copied: Int64 = 0
        while let data = try input.read(upToCount: piece), !data.isEmpty {
            try Task.checkCancellation()
            hash.update(data)
            try output.write(contentsOf: data)
            copied += Int64(data.count)
            progress(copied)
            // Others have their turn.
            await Task.yield()
        }
        try output.synchronize()
        return hash.hexadecimal()
    }
}

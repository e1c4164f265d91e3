import Foundation

/// What was said, in a file beside that of a session. What the session's own file holds is computed from it, so if one
/// of the two is older than the other nothing is wrong, only slower.
enum Transcript {
    static func write(_ messages: [Message], beside file: URL) throws {
        let place = place(file)
        do {
            try JSONEncoder().encode(messages).write(to: place, options: .atomic)
        } catch {
            throw KingletError.io("cannot write \(place.path): \(error.localizedDescription)")
        }
    }

    /// Nothing where there is no such file: a session that was saved elsewhere may have none.
    static func read(beside file: URL) throws -> [Message] {
        let place = place(file)
        guard let data = FileManager.default.contents(atPath: place.path) else { return [] }
        do {
            return try JSONDecoder().decode([Message].self, from: data)
        } catch {
            throw KingletError.saved("\(place.path) holds no transcript; delete it, or save the session again")
        }
    }

    private static func place(_ file: URL) -> URL {
        file.appendingPathExtension("transcript")
    }
}

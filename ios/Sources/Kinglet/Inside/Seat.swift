import Foundation
internal import KingletBindings

/// A session's place: in the core's memory, in a file where memory was short, or not begun.
final class Seat: Sendable {
    private enum Place {
        case empty
        case held(CoreSession, Lease)
        case aside(URL, position: Int)
    }

    /// One call after the other, so that each sees what the one before left.
    let turn = Turn()
    let calls: Calls
    private let place: Guarded<Place>

    /// A place for a session that the core has made already, or for one that it makes when it is used.
    init(_ calls: Calls, _ session: CoreSession? = nil) {
        self.calls = calls
        place = Guarded(session.map { .held($0, calls.residence.activity.session()) } ?? .empty)
        calls.residence.add(self)
    }

    /// Tokens held, as of the last call that ended.
    var position: Int {
        switch place.with({ $0 }) {
        case .empty: 0
        case .held(let session, _): Int(session.position())
        case .aside(_, let position): position
        }
    }

    /// Does something with the core's session, in turn.
    func use<Value: Sendable>(_ call: @escaping @Sendable (CoreSession) async throws -> Value) async throws -> Value {
        let lease = try await turn.take()
        defer { lease.letGo() }
        let counted = calls.residence.activity.call()
        defer { counted.letGo() }
        let session = try await session()
        return try await Work().during { _ in try await call(session) }
    }

    /// The core's session. Whoever asks has the turn, and is counted.
    func session() async throws -> CoreSession {
        let engine = try await calls.residence.engine()
        let session: CoreSession
        switch place.with({ $0 }) {
        case .held(let session, _): return session
        case .empty: session = try await Work().during { _ in try await engine.session() }
        case .aside(let file, _):
            session = try await Work().during { work in try await engine.restore(path: file.path, work: work) }
            try? FileManager.default.removeItem(at: file)
        }
        place.with { $0 = .held(session, calls.residence.activity.session()) }
        return session
    }

    /// Frees the core's memory, unless the session is in use; what it held is read again from a file.
    func putAside() async {
        guard let lease = turn.takeNow() else { return }
        defer { lease.letGo() }
        guard case .held(let session, let counted) = place.with({ $0 }) else { return }
        let position = Int(session.position())
        if position == 0 {
            place.with { $0 = .empty }
        } else {
            let file = FileManager.default.temporaryDirectory.appendingPathComponent("kinglet-\(UUID()).session")
            do {
                try await session.save(path: file.path)
            } catch {
                // It stays in memory: a conversation that is lost would be worse.
                Log.warning("a session could not be put aside: \(KingletError.own(error).localizedDescription)")
                return
            }
            place.with { $0 = .aside(file, position: position) }
        }
        counted.letGo()
    }

    deinit {
        calls.residence.remove(ObjectIdentifier(self))
        if case .aside(let file, _) = place.with({ $0 }) { try? FileManager.default.removeItem(at: file) }
    }
}

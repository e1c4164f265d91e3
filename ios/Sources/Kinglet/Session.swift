import Foundation
internal import KingletBindings

/// One conversation. Sessions of an engine are independent of each other and take turns.
///
/// It keeps what was said, and does not compute again what it holds already. Calls of one session wait for each other.
/// Its memory is free once nobody has it any more, at the latest with its engine.
public final class Session: Sendable {
    private let seat: Seat
    private let said: Guarded<[Message]>

    init(_ seat: Seat, transcript: [Message]) {
        self.seat = seat
        said = Guarded(transcript)
    }

    /// The instructions, and what was said since. An answer that failed or was cancelled is not in it, nor its prompt.
    public var transcript: [Message] { said.with { $0 } }

    /// Tokens held, as of the last call that ended.
    public var position: Int { seat.position }

    /// Positions in all, those held among them.
    public var contextLength: Int { seat.calls.contextLength }

    /// Reads the instructions while the person still types, so that the answer begins sooner. It does not wait, and what
    /// goes wrong is told by the call that follows.
    public func prewarm() {
        // Taken here and now, so that a call that follows waits. A session in use is warm already.
        guard let turn = seat.turn.takeNow() else { return }
        // What follows the last message differs from what will; the session keeps what is alike.
        let messages = transcript + [Message(role: .user, content: "")]
        let once = GenerationOptions(maximumTokens: 1, sampling: .greedy)
        let stream = Self.stream(seat, turn) { try $0.respond(messages: messages.map(\.core), sampling: once.core()) }
        Task(priority: .userInitiated) { _ = try? await stream.result() }
    }

    /// The answer to what a person says.
    public func respond(to prompt: String, options: GenerationOptions = .init()) async throws -> Response {
        try await Self.whole(streamResponse(to: prompt, options: options))
    }

    static func whole(_ stream: EventStream) async throws -> Response {
        let outcome = try await stream.result()
        // Cut off by whoever closed the engine: a half must not pass for the whole.
        if outcome.stats.stop == .cancelled { throw KingletError.closed }
        return Response(text: outcome.text, stats: outcome.stats)
    }

    /// The same, piece by piece.
    public func streamResponse(to prompt: String, options: GenerationOptions = .init()) -> EventStream {
        let question = Message(role: .user, content: prompt)
        let onDone: @Sendable (Outcome) -> Void = { [said] outcome in
            if outcome.stats.stop == .cancelled { return }
            said.with { $0 += [question, Message(role: .assistant, content: outcome.text)] }
        }
        return Self.stream(seat, onDone: onDone) { [said] session in
            let messages = said.with { $0 } + [question]
            return try session.respond(messages: messages.map(\.core), sampling: try options.core())
        }
    }

    /// Continues a text as it is, after what the session holds: no chat template, no instructions.
    public func generate(_ text: String, options: GenerationOptions = .init()) -> EventStream {
        Self.stream(seat) { try $0.generate(prompt: text, sampling: try options.core()) }
    }

    /// The same with token ids, which may be special ones.
    public func generate(tokens: [Int], options: GenerationOptions = .init()) -> EventStream {
        Self.stream(seat) { session in
            let ids = try tokens.map { try unsigned($0, "tokens") }
            return try session.generateFromTokens(ids: ids, sampling: try options.core())
        }
    }

    /// Forgets everything but the instructions.
    public func reset() async throws {
        try await seat.use { try await $0.reset() }
        said.with { $0.removeAll { $0.role != .system } }
    }

    /// Goes back to the first `position` tokens. An error where a sliding window has dropped what that needs. The
    /// transcript stays: it is what the next answer begins with.
    public func truncate(to position: Int) async throws {
        let position = try unsigned(position, "position")
        try await seat.use { try await $0.truncate(position: position) }
    }

    /// Writes what the session holds to a file, whole or not at all, and its transcript beside it;
    /// ``Engine/restore(from:)`` reads both.
    public func save(to file: URL) async throws {
        try await seat.use { [said] session in
            try Transcript.write(said.with { $0 }, beside: file)
            try await session.save(path: file.path)
        }
    }

    /// An independent session with the same past.
    public func fork() async throws -> Session {
        let core = try await seat.use { try await $0.fork() }
        return Session(Seat(seat.calls, core), transcript: transcript)
    }

    /// A stream of what the core's session writes, in turn, or with a turn that was taken before.
    static func stream(
        _ seat: Seat,
        _ taken: Lease? = nil,
        onDone: @escaping @Sendable (Outcome) -> Void = { _ in },
        _ begin: @escaping @Sendable (CoreSession) throws -> TokenStream
    ) -> EventStream {
        EventStream {
            CoreRun(seat.calls.watch) {
                var turn = taken
                if turn == nil { turn = try await seat.turn.take() }
                let counted = seat.calls.residence.activity.call()
                let stream = try begin(try await seat.session())
                // The turn goes first: whoever sees that the engine is idle finds that the session is, too.
                return Begun(stream: stream, leases: [turn, counted].compactMap { $0 }, onDone: onDone)
            }
        }
    }
}

/// An answer.
public struct Response: Sendable, Hashable, Codable {
    /// The whole text.
    public var text: String
    /// What it took.
    public var stats: Stats

    /// An answer, for previews and tests.
    public init(text: String, stats: Stats = .init()) {
        self.text = text
        self.stats = stats
    }
}

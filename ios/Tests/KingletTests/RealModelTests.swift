import XCTest

@testable import Kinglet

/// SmolLM2, a real model.
final class RealModelTests: XCTestCase {
    private func engine() async throws -> Engine {
        try await Fixture.engine(try Fixture.smollm2(), for: self)
    }

    private func greedy(_ count: Int) -> GenerationOptions {
        GenerationOptions(maximumTokens: count, sampling: .greedy)
    }

    func testItAnswers() async throws {
        let session = try await engine().session()
        let answer = try await session.respond(to: "What is the capital of France?", options: greedy(24))
        XCTAssertTrue(answer.text.contains("Paris"), answer.text)
    }

    func testTokensOfAConversationAreThoseOfItsPrompt() async throws {
        let engine = try await engine()
        let messages = [Message(role: .system, content: "Be short."), Message(role: .user, content: "Hello")]
        let count = try await engine.countTokens(of: messages)
        let answer = try await engine.session(instructions: "Be short.").respond(to: "Hello", options: greedy(2))
        XCTAssertEqual(answer.stats.promptTokens, count)
    }

    func testInstructionsReadBeforeAreNotReadAgain() async throws {
        let engine = try await engine()
        let instructions = "You answer questions about ferries, in one short sentence, and you are never in a hurry."
        let session = engine.session(instructions: instructions)
        session.prewarm()
        try await eventually("it has read them") { session.position > 0 && engine.state == .idle }
        let answer = try await session.respond(to: "When does it leave?", options: greedy(8))
        let length = try await engine.countTokens(instructions)
        XCTAssertGreaterThanOrEqual(answer.stats.cachedTokens, length)
    }

    func testItSummarisesAndExtracts() async throws {
        let engine = try await engine()
        let text = "The ferry to the island leaves at seven. Tickets cost four euros and are sold on board."
        let summary = try await engine.summarize(text, style: .headline, length: .words(8)).result()
        XCTAssertFalse(summary.text.isEmpty)
        let found = try await engine.extract(text, fields: ["price", "time"])
        XCTAssertEqual(found.fields.map(\.name), ["price", "time"])
        for field in found.fields { if let value = field.value { XCTAssertTrue(text.contains(value), value) } }
    }

    func testItRewritesClassifiesAndSuggests() async throws {
        let engine = try await engine()
        let formal = try await engine.rewrite("hey, gonna be late, sry", tone: .formal).result()
        XCTAssertFalse(formal.text.isEmpty)
        let label = try await engine.classify("Please pay the invoice by Friday.", labels: ["bill", "recipe"])
        XCTAssertTrue(["bill", "recipe"].contains(label.label), "\(label.probabilities)")
        XCTAssertEqual(label.probabilities.map(\.probability).reduce(0, +), 1, accuracy: 1e-6)
        let replies = try await engine.reply(to: "Shall we meet at seven?").suggestions
        XCTAssertEqual(Set(replies).count, 3)
    }

    func testEmojiAreStreamedWhole() async throws {
        let session = try await engine().session()
        let events = try await session.generate("😀😂😀😂😀😂😀😂😀😂", options: greedy(40)).all()
        assertWhole(events)
        XCTAssertTrue(events.pieces.contains { $0.contains("😀") || $0.contains("😂") }, "\(events.pieces)")
    }

    func testChineseArabicAndHindiAreStreamedWhole() async throws {
        let engine = try await engine()
        for text in ["你好世界你好世界你好世界你好", "مرحبا بالعالم مرحبا بالعالم مرحبا", "नमस्ते दुनिया नमस्ते दुनिया नमस्ते"] {
            let events = try await engine.session().generate(text, options: greedy(30)).all()
            XCTAssertEqual(events.pieces.joined(), events.outcomes.first?.text)
            assertWhole(events)
        }
    }

    /// Half a character comes out as U+FFFD. Only the limit of tokens may cut one, at the very end.
    private func assertWhole(_ events: [Event], line: UInt = #line) {
        let isCut = events.outcomes.first?.stats.stop == .maximumTokens
        let whole = isCut ? events.pieces.dropLast() : events.pieces[...]
        XCTAssertGreaterThan(whole.count, 3, line: line)
        for piece in whole { XCTAssertFalse(piece.unicodeScalars.contains("\u{FFFD}"), piece, line: line) }
    }

    func testTheInstructionsOfADigestAreComputedOnce() async throws {
        let summarizer = Summarizer(try await engine())
        var cached: [Int] = []
        for what in ["meeting", "lunch"] {
            let notifications = (0..<4).map { number in
                NotificationText(
                    app: "Mail", title: "Anna",
                    text: "The \(what) of group \(number) moved to room 1\(number), for the lamps are being replaced.")
            }
            cached.append(try await summarizer.digest(notifications).result().stats.cachedTokens)
        }
        XCTAssertEqual(cached[0], 0)
        XCTAssertGreaterThanOrEqual(cached[1], 10)
    }

    func testASavedConversationSaysTheSame() async throws {
        let file = try Fixture.folder(for: self).appendingPathComponent("session")
        let engine = try await engine()
        let session = engine.session(instructions: "Be short.")
        _ = try await session.respond(to: "My name is Anna.", options: greedy(16))
        try await session.save(to: file)
        let restored = try await engine.restore(from: file)
        let (kept, read) = (
            try await session.respond(to: "What is my name?", options: greedy(16)),
            try await restored.respond(to: "What is my name?", options: greedy(16))
        )
        XCTAssertEqual(kept.text, read.text)
        XCTAssertGreaterThan(read.stats.cachedTokens, 0)
    }

    /// One token is one submission. What was fed after the cancel is what the session holds beyond the prompt and the
    /// tokens that had been read by then.
    func testACancelStopsTheCoreWithinASubmission() async throws {
        let engine = try await engine()
        let prompt = "Once upon a time"
        let length = try await engine.countTokens(prompt)
        var fed: [Int] = []
        for round in 0..<100 {
            let session = engine.session()
            let (read, wanted) = (Guarded(0), 1 + round % 3)
            let reader = Task {
                for try await event in session.generate(prompt, options: Fixture.tokens(900)) {
                    if case .text = event { read.with { $0 += 1 } }
                }
            }
            while read.with({ $0 }) < wanted { try await Task.sleep(nanoseconds: 100_000) }
            reader.cancel()
            let atCancel = read.with { $0 }
            let error = await failure(of: try await reader.value)
            XCTAssertTrue(error is CancellationError, "\(String(describing: error))")
            // The session's next call has its turn when the last has ended.
            try await session.truncate(to: Int(UInt32.max))
            // The last token that was read need not be fed.
            fed.append(session.position - length - (atCancel - 1))
        }
        fed.sort()
        print("tokens fed after the cancel: worst \(fed[99]), median \(fed[50])")
        XCTAssertLessThanOrEqual(fed[50], 1)
        XCTAssertLessThanOrEqual(fed[99], 64, "more than the core keeps ready for its reader")
        let done = try await engine.session().generate("a", options: Fixture.tokens(3)).result()
        XCTAssertEqual(done.stats.tokens, 3)
    }
}

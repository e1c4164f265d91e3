import XCTest

@testable import Kinglet

final class SessionTests: XCTestCase {
    func testTheTranscriptHoldsWhatWasSaid() async throws {
        let engine = try await Fixture.engine(for: self)
        let session = engine.session(instructions: "Be short.")
        XCTAssertEqual(session.contextLength, 256)
        XCTAssertEqual(session.transcript, [Message(role: .system, content: "Be short.")])
        let answer = try await session.respond(to: "Hello", options: Fixture.tokens(4))
        XCTAssertEqual(
            session.transcript,
            [
                Message(role: .system, content: "Be short."), Message(role: .user, content: "Hello"),
                Message(role: .assistant, content: answer.text),
            ])
        try await session.reset()
        XCTAssertEqual(session.transcript, [Message(role: .system, content: "Be short.")])
        XCTAssertEqual(session.position, 0)
    }

    func testAnAnswerThatWasCancelledOrFailedWasNotSaid() async throws {
        let engine = try await Fixture.engine(for: self)
        let session = engine.session()
        for try await _ in session.streamResponse(to: "Hello", options: Fixture.tokens(50)) { break }
        XCTAssertEqual(session.transcript, [])
        let wrong = GenerationOptions(sampling: Sampling(temperature: .nan))
        let error = await failure(of: try await session.respond(to: "Hello", options: wrong))
        XCTAssertNotNil(error)
        XCTAssertEqual(session.transcript, [])
        _ = try await session.respond(to: "Hello", options: Fixture.tokens(2))
        XCTAssertEqual(session.transcript.count, 2)
    }

    func testAnAnswerThatWasCutOffByClosingWasNotSaid() async throws {
        let engine = try await Fixture.engine(for: self)
        let session = engine.session()
        var iterator = session.streamResponse(to: "Hello", options: engine.endless).makeAsyncIterator()
        _ = try await iterator.next()
        await engine.close()
        var last: Event?
        while let event = try await iterator.next() { last = event }
        guard case .done(let done)? = last else { return XCTFail("\(String(describing: last))") }
        XCTAssertEqual(done.stats.stop, .cancelled)
        XCTAssertEqual(session.transcript, [])
    }

    func testAnAnswerThatIsCutOffIsNoAnswer() async throws {
        let engine = try await Fixture.engine(for: self)
        let session = engine.session()
        let stream = EventStream {
            AsyncThrowingStream { reader in
                reader.yield(.text("half"))
                reader.yield(.done(Outcome(text: "half", stats: Stats(stop: .cancelled))))
                reader.finish()
            }
        }
        let error = await failure(of: try await Session.whole(stream))
        XCTAssertEqual(error as? KingletError, .closed)
        let answer = try await session.respond(to: "Hello", options: Fixture.tokens(2))
        XCTAssertEqual(answer.stats.stop, .maximumTokens)
    }

    func testTheNextAnswerDoesNotComputeThePastAgain() async throws {
        let engine = try await Fixture.engine(for: self)
        let session = engine.session(instructions: "Be short.")
        let first = try await session.respond(to: "Hello", options: Fixture.tokens(4))
        XCTAssertEqual(first.stats.cachedTokens, 0)
        let second = try await session.respond(to: "Again", options: Fixture.tokens(4))
        XCTAssertGreaterThanOrEqual(second.stats.cachedTokens, first.stats.promptTokens)
        XCTAssertGreaterThan(second.stats.promptTokens, second.stats.cachedTokens)
    }

    func testPrewarmingReadsTheInstructions() async throws {
        let engine = try await Fixture.engine(for: self)
        let instructions = "Answer in one short sentence, and never say more than that."
        let session = engine.session(instructions: instructions)
        session.prewarm()
        try await eventually("it has read them") { session.position > 0 && engine.state == .idle }
        let warm = try await session.respond(to: "Hello", options: Fixture.tokens(4))
        let cold = try await engine.session(instructions: instructions).respond(to: "Hello", options: Fixture.tokens(4))
        let length = try await engine.countTokens(instructions)
        XCTAssertEqual(cold.stats.cachedTokens, 0)
        XCTAssertGreaterThanOrEqual(warm.stats.cachedTokens, length)
        XCTAssertEqual(warm.text, cold.text)
        XCTAssertEqual(session.transcript.count, 3)
    }

    func testASavedSessionGoesOnAsTheOneThatWasKept() async throws {
        let engine = try await Fixture.engine(for: self)
        let file = try Fixture.folder(for: self).appendingPathComponent("session")
        let kept = engine.session()
        _ = try await kept.generate("One, two,", options: Fixture.tokens(10)).result()
        try await kept.save(to: file)
        let (fork, restored) = (try await kept.fork(), try await engine.restore(from: file))
        XCTAssertEqual(kept.position, restored.position)
        var texts: Set<String> = []
        for session in [kept, fork, restored] {
            texts.insert(try await session.generate(" and", options: Fixture.tokens(10)).result().text)
        }
        XCTAssertEqual(texts.count, 1)
        try await restored.truncate(to: 3)
        XCTAssertEqual(restored.position, 3)
        try await restored.reset()
        XCTAssertEqual(restored.position, 0)
    }

    func testASavedConversationGoesOnInAnotherEngine() async throws {
        let file = try Fixture.folder(for: self).appendingPathComponent("session")
        let engine = try await Fixture.engine(for: self)
        let kept = engine.session(instructions: "Be short.")
        _ = try await kept.respond(to: "Hello", options: Fixture.tokens(6))
        try await kept.save(to: file)
        let other = try await Fixture.engine(for: self)
        let restored = try await other.restore(from: file)
        XCTAssertEqual(restored.transcript, kept.transcript)
        let (here, there) = (
            try await kept.respond(to: "Again", options: Fixture.tokens(6)),
            try await restored.respond(to: "Again", options: Fixture.tokens(6))
        )
        XCTAssertEqual(here.text, there.text)
        XCTAssertEqual(here.stats.cachedTokens, there.stats.cachedTokens)
        XCTAssertGreaterThan(there.stats.cachedTokens, 0)
    }

    func testAForkIsIndependent() async throws {
        let engine = try await Fixture.engine(for: self)
        let session = engine.session()
        _ = try await session.respond(to: "Hello", options: Fixture.tokens(4))
        let fork = try await session.fork()
        XCTAssertEqual(fork.transcript, session.transcript)
        _ = try await fork.respond(to: "Again", options: Fixture.tokens(4))
        XCTAssertEqual(session.transcript.count, 2)
        XCTAssertEqual(fork.transcript.count, 4)
    }

    func testAFileThatHoldsNoSessionIsRefused() async throws {
        let engine = try await Fixture.engine(for: self)
        let file = try Fixture.folder(for: self).appendingPathComponent("session")
        try Data("no session".utf8).write(to: file)
        let error = await failure(of: try await engine.restore(from: file))
        guard case .saved(let text)? = error as? KingletError else { return XCTFail("\(String(describing: error))") }
        XCTAssertTrue(text.contains("saved session") && text.contains("begin a new one"), text)
        try Data("no transcript".utf8).write(to: file.appendingPathExtension("transcript"))
        let second = await failure(of: try await engine.restore(from: file))
        XCTAssertTrue((second as? KingletError)?.text.contains("transcript") == true, "\(String(describing: second))")
    }

    func testIDsAreTextAndBack() async throws {
        let engine = try await Fixture.engine(for: self)
        let ids = try await engine.tokenize("One, two, three")
        let count = try await engine.countTokens("One, two, three")
        XCTAssertEqual(ids.count, count)
        let text = try await engine.detokenize(ids)
        XCTAssertEqual(text.trimmingCharacters(in: .whitespaces), "One, two, three")
        let done = try await engine.session().generate(tokens: ids, options: Fixture.tokens(4)).result()
        XCTAssertEqual(done.stats.promptTokens, ids.count)
        let error = await failure(of: try await engine.session().generate(tokens: [1_000_000]).result())
        guard case .tokenID? = error as? KingletError else { return XCTFail("\(String(describing: error))") }
    }

    func testABiasChoosesTheToken() async throws {
        let engine = try await Fixture.engine(for: self)
        let ids = try await engine.tokenize("three")
        let id = try XCTUnwrap(ids.last)
        var options = Fixture.tokens(3)
        options.sampling.logitBias = [id: 1000]
        let expected = try await engine.detokenize([id, id, id])
        let done = try await engine.session().generate("One", options: options).result()
        XCTAssertEqual(done.text, expected)
    }
}

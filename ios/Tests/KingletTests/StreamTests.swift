import XCTest

@testable import Kinglet

final class StreamTests: XCTestCase {
    func testTextArrivesPieceByPieceAndEndsOnce() async throws {
        let engine = try await Fixture.engine(for: self)
        let events = try await engine.session().generate("One, two,", options: Fixture.tokens(30)).all()
        XCTAssertEqual(events.outcomes.count, 1)
        guard case .done(let done)? = events.last else { return XCTFail("the last one is \(events)") }
        XCTAssertEqual(events.pieces.joined(), done.text)
        XCTAssertGreaterThan(events.count, 5)
        XCTAssertEqual(done.stats.tokens, 30)
        XCTAssertEqual(done.stats.stop, .maximumTokens)
        XCTAssertEqual(done.stats.device, "cpu")
    }

    func testNothingFollowsTheEnd() async throws {
        let engine = try await Fixture.engine(for: self)
        var iterator = engine.session().generate("a", options: Fixture.tokens(2)).makeAsyncIterator()
        while let event = try await iterator.next() {
            if case .done = event { break }
        }
        for _ in 0..<3 {
            let event = try await iterator.next()
            XCTAssertNil(event)
        }
    }

    func testNothingFollowsAnError() async throws {
        let engine = try await Fixture.engine(for: self)
        let wrong = GenerationOptions(sampling: Sampling(temperature: -1))
        var iterator = engine.session().generate("a", options: wrong).makeAsyncIterator()
        do {
            let event = try await iterator.next()
            XCTFail("it gave \(String(describing: event))")
        } catch KingletError.option {}
        let event = try await iterator.next()
        XCTAssertNil(event)
    }

    func testEachReaderBeginsAnew() async throws {
        let engine = try await Fixture.engine(for: self)
        let stream = engine.summarize("The ferry leaves at seven.", sampling: .tokens(8))
        XCTAssertEqual(engine.state, .idle)
        let (first, second) = (try await stream.result(), try await stream.result())
        XCTAssertEqual(first.text, second.text)
    }

    func testAStreamThatNobodyReadsDoesNothing() async throws {
        let engine = try await Fixture.engine(for: self)
        let session = engine.session()
        _ = session.generate("a", options: engine.endless).makeAsyncIterator()
        XCTAssertEqual(engine.state, .idle)
        XCTAssertEqual(session.position, 0)
    }

    func testAReaderThatHasEnoughStopsTheCore() async throws {
        let engine = try await Fixture.engine(for: self)
        let session = engine.session()
        var read = 0
        for try await _ in session.generate("a", options: engine.endless) {
            read += 1
            if read == 2 { break }
        }
        try await becomes(.idle, engine)
        // Were it not stopped it would wait for its reader for ever, or have generated all.
        _ = try await session.generate("b", options: Fixture.tokens(1)).result()
        XCTAssertLessThan(session.position, engine.contextLength - 8)
    }

    func testAReaderThatFailsStopsTheCore() async throws {
        struct Mine: Error {}
        let engine = try await Fixture.engine(for: self)
        let session = engine.session()
        do {
            for try await _ in session.generate("a", options: engine.endless) { throw Mine() }
            XCTFail("it did not fail")
        } catch is Mine {}
        let done = try await session.generate("b", options: Fixture.tokens(3)).result()
        XCTAssertEqual(done.stats.tokens, 3)
    }

    func testAReaderThatIsSlowGetsAll() async throws {
        let engine = try await Fixture.engine(for: self)
        var text = ""
        for try await event in engine.session().generate("a", options: Fixture.tokens(150)) {
            // More of them than the core keeps ready.
            for _ in 0..<10 { await Task.yield() }
            text += event
            if case .done(let done) = event { XCTAssertEqual(done.text, text) }
        }
        XCTAssertFalse(text.isEmpty)
    }

    func testSessionsTakeTurnsAndDoNotMix() async throws {
        let engine = try await Fixture.engine(for: self)
        let prompts = ["One, two,", "The ferry"]
        var alone: [String] = []
        for prompt in prompts {
            alone.append(try await engine.session().generate(prompt, options: Fixture.tokens(40)).result().text)
        }
        async let first = engine.session().generate(prompts[0], options: Fixture.tokens(40)).result().text
        async let second = engine.session().generate(prompts[1], options: Fixture.tokens(40)).result().text
        let together = try await [first, second]
        XCTAssertEqual(alone, together)
    }

    func testWhatIsQueuedKeepsItsOrder() async throws {
        let engine = try await Fixture.engine(for: self)
        let ended = Guarded<[Int]>([])
        // The first one has begun before the next is asked for, and so on: what waits waits in the core's queue.
        var running: EventStream.AsyncIterator? = engine.session().generate("a", options: engine.endless)
            .makeAsyncIterator()
        _ = try await running?.next()
        var waiting: [Task<Void, any Error>] = []
        for number in 0..<4 {
            let begun = Guarded(false)
            let stream = EventStream {
                CoreRun(engine.calls.watch) {
                    let core = try await engine.calls.residence.engine()
                    let stream = try core.rewrite(text: "text", tone: .formal, sampling: try Sampling.tokens(3).core())
                    begun.with { $0 = true }
                    return Begun(stream: stream, leases: [])
                }
            }
            waiting.append(
                Task {
                    _ = try await stream.result()
                    ended.with { $0.append(number) }
                })
            try await eventually("number \(number) waits") { begun.with { $0 } }
        }
        XCTAssertEqual(ended.with { $0 }, [])
        running = nil
        for task in waiting { try await task.value }
        XCTAssertEqual(ended.with { $0 }, [0, 1, 2, 3])
    }

    func testACallOfASessionWaitsForTheOneBefore() async throws {
        let engine = try await Fixture.engine(for: self)
        let session = engine.session()
        let first = Task { try await session.generate("a", options: Fixture.tokens(60)).result() }
        try await eventually("the first has begun") { session.position > 0 || engine.state == .working }
        async let second = session.generate("b", options: Fixture.tokens(4)).result()
        let (before, after) = (try await first.value, try await second)
        XCTAssertEqual(after.stats.tokens, 4)
        XCTAssertGreaterThanOrEqual(session.position, before.stats.tokens + after.stats.tokens)
    }

    func testTextsAreTheAnswerAsItGrows() async throws {
        let engine = try await Fixture.engine(for: self)
        var texts: [String] = []
        for try await text in engine.session().generate("One, two,", options: Fixture.tokens(20)).texts {
            texts.append(text)
        }
        XCTAssertGreaterThan(texts.count, 3)
        for (before, after) in zip(texts, texts.dropFirst()) { XCTAssertTrue(after.hasPrefix(before)) }
        let whole = try await engine.session().generate("One, two,", options: Fixture.tokens(20)).result()
        XCTAssertEqual(texts.last, whole.text)
    }

    func testEventsAreTheSameAsAnOrdinaryStream() async throws {
        let engine = try await Fixture.engine(for: self)
        let stream = engine.session().generate("One, two,", options: Fixture.tokens(12))
        var text = ""
        var ends = 0
        for try await event in stream.events {
            text += event
            if case .done = event { ends += 1 }
        }
        let whole = try await engine.session().generate("One, two,", options: Fixture.tokens(12)).result()
        XCTAssertEqual(text, whole.text)
        XCTAssertEqual(ends, 1)
    }
}

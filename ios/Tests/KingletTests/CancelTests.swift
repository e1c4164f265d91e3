import XCTest

@testable import Kinglet

/// `Task.cancel()` reaches the core.
final class CancelTests: XCTestCase {
    func testACancelledReaderStopsTheCore() async throws {
        let engine = try await Fixture.engine(for: self)
        let session = engine.session()
        let read = Guarded(0)
        let reader = Task {
            for try await _ in session.generate("a", options: engine.endless) { read.with { $0 += 1 } }
        }
        try await eventually("it reads") { read.with { $0 > 0 } }
        reader.cancel()
        let error = await failure(of: try await reader.value)
        XCTAssertTrue(error is CancellationError, "\(String(describing: error))")
        try await becomes(.idle, engine)
        _ = try await session.generate("b", options: Fixture.tokens(1)).result()
        XCTAssertLessThan(session.position, engine.contextLength - 8)
    }

    func testATaskThatIsCancelledAlreadyBeginsNothing() async throws {
        let engine = try await Fixture.engine(for: self)
        let session = engine.session()
        let reader = Task {
            while !Task.isCancelled { await Task.yield() }
            return try await session.generate("a", options: Fixture.tokens(5)).result()
        }
        reader.cancel()
        let error = await failure(of: try await reader.value)
        XCTAssertTrue(error is CancellationError, "\(String(describing: error))")
        XCTAssertEqual(session.position, 0)
    }

    /// In the core's queue, where nothing is answered before its turn comes.
    func testACallThatWaitsBehindAnotherLeavesAtOnce() async throws {
        let engine = try await Fixture.engine(for: self)
        let session = engine.session()
        var running: EventStream.AsyncIterator? = engine.session().generate("a", options: engine.endless)
            .makeAsyncIterator()
        _ = try await running?.next()
        let calls: [@Sendable () async throws -> Void] = [
            { _ = try await engine.rewrite("text", tone: .formal).result() },
            { _ = try await engine.extract("text", fields: ["name"]) },
            { _ = try await session.respond(to: "b") },
            { _ = try await session.generate("c").result() },
            { _ = try await session.fork() },
            { try await engine.trim() },
        ]
        for call in calls {
            let waiting = Task { try await call() }
            for _ in 0..<50 { await Task.yield() }
            waiting.cancel()
            // The one before still has the engine.
            let error = await failure(of: try await waiting.value)
            XCTAssertTrue(error is CancellationError, "\(String(describing: error))")
        }
        XCTAssertEqual(engine.state, .working)
        running = nil
        let done = try await session.respond(to: "d", options: Fixture.tokens(3))
        XCTAssertEqual(done.stats.tokens, 3)
        XCTAssertEqual(session.transcript.count, 2)
    }

    func testACancelledValueIsCancelled() async throws {
        let engine = try await Fixture.engine(for: self)
        // Whole it takes longer than anybody would wait.
        let long = String(repeating: "The ferry leaves at seven. ", count: 40_000)
        let call = Task { try await engine.extract(long, fields: ["time"]) }
        try await becomes(.working, engine)
        call.cancel()
        let error = await failure(of: try await call.value)
        XCTAssertTrue(error is CancellationError, "\(String(describing: error))")
        let done = try await engine.session().generate("a", options: Fixture.tokens(1)).result()
        XCTAssertEqual(done.stats.tokens, 1)
    }

    func testACancelledBenchmarkIsCancelled() async throws {
        let engine = try await Fixture.engine(for: self)
        let call = Task { try await engine.benchmark(prefill: 64, decode: 64, repetitions: 1_000_000) }
        try await becomes(.working, engine)
        call.cancel()
        let error = await failure(of: try await call.value)
        XCTAssertTrue(error is CancellationError, "\(String(describing: error))")
        try await becomes(.idle, engine)
    }

    func testALoadThatIsCancelledEnds() async throws {
        for _ in 0..<20 {
            let load = Task { try await Kinglet.open(Fixture.cpu, in: FakePhone()) }
            await Task.yield()
            load.cancel()
            do {
                await (try load.value).close()
            } catch {
                XCTAssertTrue(error is CancellationError, "\(error)")
            }
        }
        try await eventually("no engine's thread is left") { ThisProcess.coreThreads == 0 }
    }

    func testACancelledDiagnosisEnds() async throws {
        let prompt = String(repeating: "a ", count: 500)
        let options = DiagnosisOptions(all: true, tokens: 200, repeats: 100, seconds: 3600)
        let begun = Guarded(false)
        let call = Task {
            try await Kinglet.diagnose(Configuration(model: Fixture.tiny()), prompt: prompt, options: options) { now in
                if now > 0 { begun.with { $0 = true } }
            }
        }
        try await eventually("it compares") { begun.with { $0 } }
        call.cancel()
        let error = await failure(of: try await call.value)
        XCTAssertTrue(error is CancellationError, "\(String(describing: error))")
    }

    func testAHundredCancelsLeaveItWorking() async throws {
        let engine = try await Fixture.engine(for: self)
        for round in 0..<100 {
            let session = engine.session()
            let reader = Task { try await session.generate("a", options: engine.endless).result() }
            if round % 2 == 0 { try await becomes(.working, engine) }
            reader.cancel()
            let error = await failure(of: try await reader.value)
            XCTAssertTrue(error is CancellationError, "\(String(describing: error))")
        }
        let done = try await engine.session().generate("a", options: Fixture.tokens(5)).result()
        XCTAssertEqual(done.stats.tokens, 5)
        try await becomes(.idle, engine)
    }
}

import XCTest

@testable import Kinglet

final class LifecycleTests: XCTestCase {
    func testOpeningTellsItsProgress() async throws {
        let told = Guarded<[LoadProgress]>([])
        let engine = try await Kinglet.open(Fixture.cpu) { now in told.with { $0.append(now) } }
        await engine.close()
        let news = told.with { $0 }
        XCTAssertEqual(news.first?.step, .opening)
        XCTAssertEqual(news.last, LoadProgress(fraction: 1, step: .weights))
        for now in news { XCTAssertTrue((0...1).contains(now.fraction), "\(now)") }
        XCTAssertEqual(engine.info.architecture, "llama")
        XCTAssertEqual(told.with { $0.count }, news.count, "it told something after it returned")
    }

    func testCloseEndsWhatRunsAndMayBeRepeated() async throws {
        let engine = try await Kinglet.open(Fixture.cpu, in: FakePhone())
        let begun = Guarded(false)
        let running = Task {
            var last: Outcome?
            for try await event in engine.session().generate("a", options: engine.endless) {
                begun.with { $0 = true }
                if case .done(let done) = event { last = done }
                for _ in 0..<20 { await Task.yield() }
            }
            return last
        }
        try await eventually("it runs") { begun.with { $0 } }
        let waiting = Task { try await engine.session().respond(to: "b", options: engine.endless) }
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<3 { group.addTask { await engine.close() } }
        }
        await engine.close()
        XCTAssertEqual(engine.state, .closed)
        // Cut off, or done before: either way it ends once.
        let last = try await running.value
        XCTAssertNotNil(last)
        do {
            _ = try await waiting.value
            XCTFail("what waited was answered")
        } catch KingletError.closed {}
    }

    func testEveryCallAfterCloseSaysSo() async throws {
        let engine = try await Kinglet.open(Fixture.cpu, in: FakePhone())
        let session = engine.session()
        _ = try await session.generate("a", options: Fixture.tokens(2)).result()
        let file = try Fixture.folder(for: self).appendingPathComponent("session")
        await engine.close()
        let calls: [(String, @Sendable () async throws -> Void)] = [
            ("summarize", { _ = try await engine.summarize("text").result() }),
            ("rewrite", { _ = try await engine.rewrite("text", tone: .formal).result() }),
            ("digest", { _ = try await engine.digest([NotificationText(app: "a", title: "b", text: "c")]).result() }),
            ("reply", { _ = try await engine.reply(to: "text") }),
            ("classify", { _ = try await engine.classify("text", labels: ["a", "b"]) }),
            ("extract", { _ = try await engine.extract("text", fields: ["name"]) }),
            ("benchmark", { _ = try await engine.benchmark() }),
            ("countTokens", { _ = try await engine.countTokens("text") }),
            ("tokenize", { _ = try await engine.tokenize("text") }),
            ("device", { _ = try await engine.device }),
            ("suspendGPU", { try await engine.suspendGPU() }),
            ("trim", { try await engine.trim() }),
            ("a new session", { _ = try await engine.session().respond(to: "text") }),
            ("generate", { _ = try await session.generate("text").result() }),
            ("respond", { _ = try await session.respond(to: "text") }),
            ("save", { try await session.save(to: file) }),
            ("fork", { _ = try await session.fork() }),
            ("reset", { try await session.reset() }),
            ("truncate", { try await session.truncate(to: 0) }),
        ]
        for (name, call) in calls {
            do {
                try await call()
                XCTFail("\(name) worked")
            } catch {
                XCTAssertEqual(error as? KingletError, .closed, "\(name): \(error)")
            }
        }
        XCTAssertEqual(engine.state, .closed)
    }

    func testTheStatesAreTold() async throws {
        let engine = try await Kinglet.open(Fixture.cpu, in: FakePhone())
        XCTAssertEqual(engine.state, .idle)
        let seen = Task {
            var seen: [EngineState] = []
            for await state in engine.states { seen.append(state) }
            return seen
        }
        let begun = Guarded(false)
        for try await _ in engine.session().generate("a", options: Fixture.tokens(20)) {
            if !begun.with({ $0 }) { XCTAssertEqual(engine.state, .working) }
            begun.with { $0 = true }
        }
        await engine.close()
        let states = await seen.value
        XCTAssertEqual(states.last, .closed)
        var late: [EngineState] = []
        for await state in engine.states { late.append(state) }
        XCTAssertEqual(late, [.closed])
    }

    func testAnEngineThatIsLetGoOfFreesTheModel() async throws {
        weak var residence: Residence?
        weak var watch: Watch?
        let phone = FakePhone()
        do {
            let engine = try await Kinglet.open(Fixture.cpu, in: phone)
            (residence, watch) = (engine.calls.residence, engine.calls.watch)
            let session = engine.session()
            _ = try await session.generate("a", options: Fixture.tokens(3)).result()
            XCTAssertEqual(phone.watchers, 1)
            XCTAssertNotNil(residence)
        }
        XCTAssertNil(residence)
        XCTAssertNil(watch)
        XCTAssertEqual(phone.watchers, 0)
        try await eventually("its thread is gone") { ThisProcess.coreThreads == 0 }
    }

    func testASessionKeepsItsEngine() async throws {
        let session: Session
        do {
            let engine = try await Kinglet.open(Fixture.cpu, in: FakePhone())
            session = engine.session()
        }
        let done = try await session.generate("a", options: Fixture.tokens(3)).result()
        XCTAssertEqual(done.stats.tokens, 3)
    }

    func testAThousandSessionsTakeNoMemory() async throws {
        let engine = try await Fixture.engine(for: self)
        var resident: [Double] = []
        for round in 0..<1000 {
            let session = engine.session()
            _ = try await session.generate("a", options: Fixture.tokens(2)).result()
            if round % 10 == 9 { resident.append(Double(try ThisProcess.resident())) }
        }
        // The first half fills the allocator's own stores.
        let late = slope(Array(resident.suffix(50))) / 10
        print("resident after 1,000 sessions: \(Int(resident[99] / 1e6)) MB, slope \(Int(late)) bytes a session")
        XCTAssertLessThan(late, 4096)
    }

    func testThirtyEnginesTakeNoMemory() async throws {
        var resident: [Double] = []
        for _ in 0..<30 {
            let engine = try await Kinglet.open(Fixture.cpu, in: FakePhone())
            _ = try await engine.session().generate("a", options: Fixture.tokens(2)).result()
            await engine.close()
            resident.append(Double(try ThisProcess.resident()))
        }
        let late = slope(Array(resident.suffix(15)))
        print("resident after 30 engines: \(Int(resident[29] / 1e6)) MB, slope \(Int(late)) bytes an engine")
        // An engine that stayed would take more than its weights.
        XCTAssertLessThan(late, 200_000)
    }

    func testItWorksOnTheMainActorToo() async throws {
        try await Self.onTheMainActor()
    }

    @MainActor
    private static func onTheMainActor() async throws {
        let engine = try await Kinglet.open(Fixture.cpu)
        var text = ""
        for try await event in engine.summarize("The ferry leaves at seven.", sampling: .tokens(5)) { text += event }
        XCTAssertFalse(text.isEmpty)
        let count = try await engine.countTokens("One, two")
        XCTAssertGreaterThan(count, 0)
        await engine.close()
    }

    func testAModelThatIsDeletedStaysTheOneThatWasOpened() async throws {
        let file = try Fixture.folder(for: self).appendingPathComponent("model.gguf")
        try FileManager.default.copyItem(at: Fixture.tiny(), to: file)
        let engine = try await Fixture.engine(Configuration(model: file, device: .cpu, threads: 1), for: self)
        try FileManager.default.removeItem(at: file)
        let done = try await engine.session().generate("One, two", options: Fixture.tokens(4)).result()
        XCTAssertEqual(done.stats.tokens, 4)
    }
}

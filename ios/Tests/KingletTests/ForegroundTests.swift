import XCTest

@testable import Kinglet

/// A GPU works in the foreground. The GPU here is whatever Vulkan finds, a software one as well.
final class ForegroundTests: XCTestCase {
    private let gpu = Configuration(model: Fixture.tiny(), device: .gpu, threads: 1)

    private func works(_ engine: Engine) async throws -> Bool {
        do {
            _ = try await engine.session().generate("a", options: Fixture.tokens(2)).result()
            return true
        } catch KingletError.suspended {
            return false
        }
    }

    private func assertWorks(_ engine: Engine, _ expected: Bool, line: UInt = #line) async throws {
        let works = try await works(engine)
        XCTAssertEqual(works, expected, line: line)
    }

    func testInTheBackgroundTheGPURestsAndComesBack() async throws {
        let phone = FakePhone()
        let engine = try await Fixture.engine(gpu, in: phone, for: self)
        let device = try await engine.device
        XCTAssertEqual(device.kind, "gpu")
        try await assertWorks(engine, true)
        // At once: when the notification has been handled the GPU has nothing more to do.
        phone.show(false)
        try await assertWorks(engine, false)
        phone.show(true)
        try await assertWorks(engine, true)
    }

    func testWhatRunsWhenTheAppGoesEndsWithOneError() async throws {
        let phone = FakePhone()
        let engine = try await Fixture.engine(gpu, in: phone, for: self)
        var iterator = engine.session().generate("a", options: engine.endless).makeAsyncIterator()
        _ = try await iterator.next()
        phone.show(false)
        do {
            while try await iterator.next() != nil {}
            XCTFail("it went on in the background")
        } catch KingletError.suspended {}
        let event = try await iterator.next()
        XCTAssertNil(event)
    }

    func testUnderAutomaticItGoesOnOnTheCPU() async throws {
        let phone = FakePhone()
        var configuration = Configuration(model: Fixture.tiny(), device: .automatic, threads: 1)
        configuration.gpu.adapter = try await automaticAdapter()
        let engine = try await Fixture.engine(configuration, in: phone, for: self)
        let before = try await engine.device.kind
        phone.show(false)
        let done = try await engine.session().generate("a", options: Fixture.tokens(5)).result()
        XCTAssertEqual(done.stats.tokens, 5)
        XCTAssertEqual(done.stats.device, "cpu", "it was opened on \(before)")
    }

    /// None where there is none that would be taken by itself, as with a software one.
    private func automaticAdapter() async throws -> String? {
        try await Kinglet.gpus().first { $0.isAutomatic }?.name
    }

    func testWhoMayWorksInTheBackgroundToo() async throws {
        let phone = FakePhone()
        var configuration = gpu
        configuration.manners.gpuInBackground = true
        let engine = try await Fixture.engine(configuration, in: phone, for: self)
        phone.show(false)
        try await assertWorks(engine, true)
    }

    func testTheAppsOwnWishHoldsBesideIt() async throws {
        let phone = FakePhone()
        let engine = try await Fixture.engine(gpu, in: phone, for: self)
        try await engine.suspendGPU()
        try await assertWorks(engine, false)
        phone.show(false)
        phone.show(true)
        try await assertWorks(engine, false)
        try await engine.resumeGPU()
        try await assertWorks(engine, true)
        try await engine.suspendGPU()
        phone.show(false)
        try await engine.resumeGPU()
        try await assertWorks(engine, false)
    }

    func testTheCPUDoesNotCare() async throws {
        let phone = FakePhone()
        let engine = try await Fixture.engine(in: phone, for: self)
        phone.show(false)
        try await assertWorks(engine, true)
    }

    func testInTheBackgroundAModelIsOpenedOnTheCPU() async throws {
        let phone = FakePhone(isVisible: false)
        let engine = try await Fixture.engine(Configuration(model: Fixture.tiny(), threads: 1), in: phone, for: self)
        let session = engine.session()
        let first = try await session.respond(to: "Hello", options: Fixture.tokens(4))
        var device = try await engine.device
        XCTAssertEqual(device.kind, "cpu")
        XCTAssertEqual(device.reason, "it was asked for")
        // Brought back to where it may take the GPU: loaded anew under its own choice, and the session goes on.
        phone.show(true)
        try await becomes(.unloaded, engine)
        device = try await engine.device
        XCTAssertNotEqual(device.reason, "it was asked for")
        let second = try await session.respond(to: "Again", options: Fixture.tokens(4))
        XCTAssertGreaterThanOrEqual(second.stats.cachedTokens, first.stats.promptTokens)
    }

    func testAModelInUseTakesTheGPUOnceItIsFree() async throws {
        let phone = FakePhone(isVisible: false)
        let engine = try await Fixture.engine(Configuration(model: Fixture.tiny(), threads: 1), in: phone, for: self)
        var running: EventStream.AsyncIterator? = engine.session().generate("a", options: engine.endless)
            .makeAsyncIterator()
        _ = try await running?.next()
        phone.show(true)
        for _ in 0..<100 { await Task.yield() }
        XCTAssertEqual(engine.state, .working)
        running = nil
        try await becomes(.unloaded, engine)
    }

    func testAnAppThatLeavesWhileItLoadsLetsGoOfTheGPU() async throws {
        let phone = FakePhone()
        phone.leavesAtOnce(1)
        let error = await failure(of: try await Kinglet.open(gpu, in: phone))
        XCTAssertEqual(
            error as? KingletError,
            .suspended("the GPU may not work in the background; open the model in the foreground"))
        phone.show(true)
        phone.leavesAtOnce(1)
        let engine = try await Fixture.engine(Configuration(model: Fixture.tiny(), threads: 1), in: phone, for: self)
        let reason = try await engine.device.reason
        XCTAssertEqual(reason, "it was asked for", "not the GPU, but the CPU")
        XCTAssertEqual(phone.watchers, 1)
    }
}

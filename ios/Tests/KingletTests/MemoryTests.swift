import XCTest

@testable import Kinglet

/// A phone that is short of memory.
final class MemoryTests: XCTestCase {
    private let text = "The ferry leaves at seven."

    func testAModelThatNobodyUsesIsGivenBackAndLoadedAgain() async throws {
        let phone = FakePhone()
        let engine = try await Fixture.engine(in: phone, for: self)
        let before = try await engine.summarize(text).result().text
        phone.warns()
        try await becomes(.unloaded, engine)
        try await eventually("its thread is gone") { ThisProcess.coreThreads == 0 }
        let after = try await engine.summarize(text).result().text
        XCTAssertEqual(before, after)
        try await becomes(.idle, engine)
    }

    func testALightWarningTakesWhatIsSpareAndKeepsTheModel() async throws {
        let phone = FakePhone()
        let engine = try await Fixture.engine(in: phone, for: self)
        let notifications = [NotificationText(app: "Mail", title: "Anna", text: text)]
        _ = try await engine.digest(notifications, sampling: .tokens(2)).result()
        let warm = try await engine.digest(notifications, sampling: .tokens(2)).result()
        XCTAssertGreaterThan(warm.stats.cachedTokens, 0)
        phone.warns(.spare)
        try await eventually("what is spare is gone") {
            let cold = try await engine.digest(notifications, sampling: .tokens(2)).result()
            // Asked for before the warning was minded it is still warm.
            return cold.stats.cachedTokens == 0
        }
        XCTAssertNotEqual(engine.state, .unloaded)
    }

    func testAWarningPutsSessionsAsideAndTheyGoOn() async throws {
        let phone = FakePhone()
        let engine = try await Fixture.engine(in: phone, for: self)
        let (session, other) = (engine.session(), engine.session())
        _ = try await session.respond(to: "Hello", options: Fixture.tokens(8))
        _ = try await other.respond(to: "Hello", options: Fixture.tokens(8))
        let held = session.position
        phone.warns()
        try await becomes(.unloaded, engine)
        XCTAssertEqual(session.position, held)
        let (after, kept) = (
            try await session.respond(to: "Again", options: Fixture.tokens(8)),
            try await uninterrupted()
        )
        XCTAssertEqual(after.text, kept.text)
        XCTAssertEqual(after.stats.cachedTokens, kept.stats.cachedTokens)
        XCTAssertGreaterThan(after.stats.cachedTokens, 0)
        XCTAssertEqual(session.transcript.count, 4)
        XCTAssertEqual(other.position, held)
    }

    /// The same conversation without a warning.
    private func uninterrupted() async throws -> Response {
        let session = try await Fixture.engine(for: self).session()
        _ = try await session.respond(to: "Hello", options: Fixture.tokens(8))
        return try await session.respond(to: "Again", options: Fixture.tokens(8))
    }

    func testASessionThatWasPutAsideLeavesNoFile() async throws {
        let phone = FakePhone()
        let engine = try await Fixture.engine(in: phone, for: self)
        let before = try files()
        do {
            let session = engine.session()
            _ = try await session.respond(to: "Hello", options: Fixture.tokens(8))
            phone.warns()
            try await becomes(.unloaded, engine)
            XCTAssertEqual(try files().count, before.count + 1)
        }
        try await eventually("its file is gone") { try files() == before }
    }

    private func files() throws -> Set<String> {
        let folder = FileManager.default.temporaryDirectory.path
        return Set(try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasSuffix(".session") })
    }

    func testNoWarningEndsAGeneration() async throws {
        let phone = FakePhone()
        let engine = try await Fixture.engine(in: phone, for: self)
        let alone = try await engine.session().generate("One, two", options: Fixture.tokens(40)).result()
        var texts = 0
        var done: Outcome?
        for try await event in engine.session().generate("One, two", options: Fixture.tokens(40)) {
            if case .text = event { texts += 1 }
            if case .done(let outcome) = event { done = outcome }
            phone.warns(texts.isMultiple(of: 2) ? .all : .spare)
        }
        XCTAssertGreaterThan(texts, 5)
        XCTAssertEqual(done?.text, alone.text)
        XCTAssertEqual(done?.stats.stop, .maximumTokens)
    }

    func testAModelThatWasGivenBackCanBeClosed() async throws {
        let phone = FakePhone()
        let engine = try await Kinglet.open(Fixture.cpu, in: phone)
        phone.warns()
        try await becomes(.unloaded, engine)
        try await engine.trim()
        XCTAssertEqual(engine.state, .unloaded)
        await engine.close()
        XCTAssertEqual(engine.state, .closed)
        let error = await failure(of: try await engine.countTokens("a"))
        XCTAssertEqual(error as? KingletError, .closed)
    }

    func testWhoDoesNotWantItKeepsTheModel() async throws {
        var configuration = Fixture.cpu
        configuration.manners.releaseOnMemoryWarning = false
        let (phone, heeding) = (FakePhone(), FakePhone())
        let engine = try await Fixture.engine(configuration, in: phone, for: self)
        let other = try await Fixture.engine(in: heeding, for: self)
        phone.warns()
        heeding.warns()
        try await becomes(.unloaded, other)
        XCTAssertEqual(engine.state, .idle)
    }

    func testAModelIsNotLoadedAgainIntoMemoryThatIsGone() async throws {
        let phone = FakePhone()
        let engine = try await Fixture.engine(in: phone, for: self)
        phone.warns()
        try await becomes(.unloaded, engine)
        phone.has(100)
        let error = await failure(of: try await engine.countTokens("a"))
        guard case .doesNotFit? = error as? KingletError else { return XCTFail("\(String(describing: error))") }
        try await becomes(.unloaded, engine)
        phone.has(nil)
        let count = try await engine.countTokens("a")
        XCTAssertGreaterThan(count, 0)
    }

    func testNothingListensAfterClose() async throws {
        let phone = FakePhone()
        let engine = try await Kinglet.open(Fixture.cpu, in: phone)
        XCTAssertEqual(phone.watchers, 1)
        await engine.close()
        await engine.close()
        XCTAssertEqual(phone.watchers, 0)
        phone.warns()
        phone.becomes(.critical)
    }
}

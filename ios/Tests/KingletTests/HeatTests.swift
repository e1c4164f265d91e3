import XCTest

@testable import Kinglet

/// A warm phone, and one that saves battery.
final class HeatTests: XCTestCase {
    private func reasons(
        _ session: Session,
        during: (Int) -> Void = { _ in }
    ) async throws -> [ThrottleReason?] {
        try await session.reset()
        var (events, texts): ([Event], Int) = ([], 0)
        for try await event in session.generate("a", options: Fixture.tokens(30)) {
            events.append(event)
            if case .text = event {
                during(texts)
                texts += 1
            }
        }
        return events.reasons
    }

    func testEachThermalStateHasItsReason() async throws {
        let phone = FakePhone()
        let session = try await Fixture.engine(in: phone, for: self).session()
        let expected: [(Heat, [ThrottleReason?])] = [
            (.fair, []), (.serious, [.warm]), (.critical, [.hot]), (.nominal, []),
        ]
        for (heat, wanted) in expected {
            phone.becomes(heat)
            let told = try await reasons(session)
            XCTAssertEqual(told, wanted, "\(heat)")
        }
    }

    func testAPhoneThatWarmsUpOnTheWayIsToldOnce() async throws {
        let phone = FakePhone()
        let session = try await Fixture.engine(in: phone, for: self).session()
        let told = try await reasons(session) { text in
            if text == 3 { phone.becomes(.critical) }
            if text == 8 { phone.becomes(.nominal) }
        }
        XCTAssertEqual(told, [.hot, nil])
    }

    func testLowPowerModeSlowsDownAndHeatMattersMore() async throws {
        let phone = FakePhone()
        let session = try await Fixture.engine(in: phone, for: self).session()
        phone.saves(true)
        var told = try await reasons(session)
        XCTAssertEqual(told, [.lowPowerMode])
        phone.becomes(.serious)
        told = try await reasons(session)
        XCTAssertEqual(told, [.warm])
        phone.becomes(.nominal)
        phone.saves(false)
        told = try await reasons(session)
        XCTAssertEqual(told, [])
    }

    func testAModelOpenedInLowPowerModeIsSlowFromTheStart() async throws {
        let engine = try await Fixture.engine(in: FakePhone(savesPower: true), for: self)
        let events = try await engine.session().generate("a", options: Fixture.tokens(3)).all()
        XCTAssertEqual(events.first, .throttled(.lowPowerMode))
    }

    func testTheTextIsTheSame() async throws {
        let phone = FakePhone()
        let engine = try await Fixture.engine(in: phone, for: self)
        let quick = try await engine.session().generate("One, two", options: Fixture.tokens(60)).result()
        phone.becomes(.critical)
        let slow = try await engine.session().generate("One, two", options: Fixture.tokens(60)).result()
        XCTAssertEqual(quick.text, slow.text)
    }

    /// Three times as much rest as work makes it four times slower. A machine with other work makes both slower.
    func testTheCoreIsToldToRest() async throws {
        let phone = FakePhone()
        let engine = try await Fixture.engine(in: phone, for: self)
        let quick = try await speed(engine)
        phone.becomes(.critical)
        let slow = try await speed(engine)
        print("tokens a second: \(Int(quick)) cool, \(Int(slow)) hot")
        XCTAssertLessThan(1.5 * slow, quick)
    }

    /// The best of some runs.
    private func speed(_ engine: Engine) async throws -> Double {
        var best = 0.0
        for _ in 0..<5 {
            let done = try await engine.session().generate("One, two", options: Fixture.tokens(120)).result()
            best = max(best, done.stats.tokensPerSecond ?? 0)
        }
        return best
    }

    func testAModelLoadedAgainIsToldToo() async throws {
        let phone = FakePhone()
        let engine = try await Fixture.engine(in: phone, for: self)
        phone.warns()
        try await becomes(.unloaded, engine)
        phone.becomes(.serious)
        let events = try await engine.session().generate("a", options: Fixture.tokens(3)).all()
        XCTAssertEqual(events.first, .throttled(.warm))
    }

    func testWhoDoesNotWantItIsNotSlowed() async throws {
        var configuration = Fixture.cpu
        configuration.manners.throttle = false
        let phone = FakePhone(savesPower: true)
        let session = try await Fixture.engine(configuration, in: phone, for: self).session()
        phone.becomes(.critical)
        let told = try await reasons(session)
        XCTAssertEqual(told, [])
    }
}

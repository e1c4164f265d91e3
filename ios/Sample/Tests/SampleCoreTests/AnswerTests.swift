import Kinglet
import XCTest

@testable import SampleCore

@MainActor
final class AnswerTests: XCTestCase, @unchecked Sendable {
    private func stream(_ events: [Event]) -> Events {
        Events { continuation in
            for event in events { continuation.yield(event) }
            continuation.finish()
        }
    }

    private func ended(_ answer: Answer) async throws -> Live {
        try await until("the answer has ended") { !answer.live.running }
        return answer.live
    }

    func testTextGrowsAndEndsWithItsStats() async throws {
        let answer = Answer()
        var whole: String?
        answer.begin(stream([.text("Good "), .text("morning"), .done(Believable.outcome("Good morning"))])) {
            whole = $0
        }
        XCTAssertTrue(answer.live.running)
        let live = try await ended(answer)
        XCTAssertEqual(live.text, "Good morning")
        XCTAssertEqual(live.stats, Believable.stats)
        XCTAssertEqual(whole, "Good morning")
        XCTAssertNil(live.problem)
    }

    func testTakenBackTextGoes() async throws {
        let answer = Answer()
        answer.begin(stream([.text("a👍b"), .takeBack(characters: 2), .text("c")]))
        let live = try await ended(answer)
        XCTAssertEqual(live.text, "ac")
    }

    func testTheLastEventsTextIsTheAnswer() async throws {
        let answer = Answer()
        answer.begin(stream([.text(" untidy "), .done(Believable.outcome("tidy"))]))
        let live = try await ended(answer)
        XCTAssertEqual(live.text, "tidy")
    }

    func testNotesComeAndGo() async throws {
        let answer = Answer()
        let (events, tell) = Events.makeStream()
        answer.begin(events)
        tell.yield(.progress(part: 2, parts: 3, round: 0))
        try await until("a part") { answer.live.note == .part(2, of: 3) }
        tell.yield(.throttled(.warm))
        try await until("it is warm") { answer.live.note == .throttled(.warm) }
        tell.yield(.throttled(nil))
        try await until("it is cool") { answer.live.note == nil }
        tell.yield(.switched(DeviceSwitch(from: "gpu", to: "cpu", why: "it was wrong")))
        try await until("it was switched") { answer.live.note == .switched(to: "cpu") }
        tell.yield(.progress(part: 1, parts: 1, round: 0))
        try await until("a single part is no news") { answer.live.note == nil }
        tell.finish()
        let live = try await ended(answer)
        XCTAssertNil(live.note)
    }

    func testAFailureKeepsWhatThereIsAndSaysWhy() async throws {
        let answer = Answer()
        let (events, tell) = Events.makeStream()
        var done = false
        answer.begin(events) { _ in done = true }
        tell.yield(.text("Half"))
        tell.finish(throwing: KingletError.suspended("the GPU may not work now; try again"))
        let live = try await ended(answer)
        XCTAssertEqual(live.text, "Half")
        XCTAssertEqual(live.problem, .said("the GPU may not work now; try again"))
        XCTAssertFalse(done)
    }

    func testStoppingEndsTheStreamAndKeepsTheText() async throws {
        let answer = Answer()
        let (events, tell) = Events.makeStream()
        let left = Counter()
        tell.onTermination = { _ in Task { await left.add() } }
        answer.begin(events)
        tell.yield(.text("So far"))
        try await until("some text") { answer.live.text == "So far" }
        answer.stop()
        XCTAssertFalse(answer.live.running)
        try await until("the stream is left") { await left.count == 1 }
        XCTAssertEqual(answer.live.text, "So far")
        XCTAssertNil(answer.live.problem)
    }

    func testWhatComesAfterAStopIsNotShown() async throws {
        let answer = Answer()
        let (events, tell) = Events.makeStream()
        var done = false
        answer.begin(events) { _ in done = true }
        tell.yield(.text("old"))
        tell.yield(.done(Believable.outcome("old")))
        tell.finish()
        answer.stop()
        answer.begin(stream([.text("new")]))
        let live = try await ended(answer)
        XCTAssertEqual(live.text, "new")
        XCTAssertFalse(done)
    }

    func testANewAnswerForgetsTheOldOne() async throws {
        let answer = Answer()
        answer.begin(stream([.text("one"), .done(Believable.outcome("one"))]))
        _ = try await ended(answer)
        answer.begin(stream([.text("two")]))
        let live = try await ended(answer)
        XCTAssertEqual(live.text, "two")
        XCTAssertNil(live.stats)
    }

    func testWaitingForWorkShowsItsProblem() async throws {
        let answer = Answer()
        answer.wait { throw TestError() }
        let live = try await ended(answer)
        XCTAssertEqual(live.problem, .said("the printer is on fire; fetch water"))
    }

    func testClearShowsNothing() async throws {
        let answer = Answer()
        answer.begin(stream([.text("one")]))
        _ = try await ended(answer)
        answer.clear()
        XCTAssertEqual(answer.live, Live())
    }
}

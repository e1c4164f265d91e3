import Kinglet
import XCTest

@testable import SampleCore

@MainActor
final class TextTests: XCTestCase, @unchecked Sendable {
    private func model(_ assistant: FakeAssistant = FakeAssistant()) -> TextModel {
        let model = TextModel(parts: .fake(assistant: assistant))
        model.form.input = "The train is late. Dinner is at half past seven."
        return model
    }

    private func run(_ model: TextModel, _ task: TextTask) async throws {
        model.form.task = task
        model.run()
        try await until("it has ended") { !model.answer.live.running }
    }

    func testASummaryIsKept() async throws {
        let model = model()
        try await run(model, .summarize)
        XCTAssertEqual(model.outcome, TextOutcome(task: .summarize, lines: [.init(value: Believable.summary)]))
        XCTAssertEqual(model.answer.live.stats, Believable.stats)
    }

    func testARewrittenTextIsKept() async throws {
        let model = model()
        try await run(model, .rewrite)
        XCTAssertEqual(model.outcome?.text, Believable.summary)
        XCTAssertEqual(model.outcome?.task, .rewrite)
    }

    func testFieldsHaveTheirNames() async throws {
        let model = model()
        model.form.fields = " who, when ,, who "
        try await run(model, .extract)
        XCTAssertEqual(model.outcome?.lines, [.init(name: "who", value: "Value 1"), .init(name: "when", value: nil)])
        XCTAssertEqual(model.outcome?.text, "who: Value 1\nwhen: –")
    }

    func testTheMostProbableLabelComesFirst() async throws {
        let model = model()
        model.form.labels = "one,two,three"
        try await run(model, .classify)
        XCTAssertEqual(model.outcome?.lines.map(\.name), ["three", "two", "one"])
        XCTAssertEqual(model.outcome?.lines.first?.value, Amount.percent(0.5))
    }

    func testWhereNoLabelsAreNamedTheUsualOnesAreUsed() async throws {
        let model = model()
        model.form.labels = " , "
        try await run(model, .classify)
        XCTAssertEqual(model.outcome?.lines.map(\.name), [Phrase.labelsUsual.text])
    }

    func testRepliesAreLines() async throws {
        let model = model()
        try await run(model, .reply)
        XCTAssertEqual(model.outcome?.lines.count, 3)
        XCTAssertEqual(model.outcome?.lines.first, .init(value: "See you at seven!"))
    }

    func testThereIsNothingToDoWithoutAText() async {
        let model = model()
        XCTAssertTrue(model.ready)
        model.form.input = " \n "
        XCTAssertFalse(model.ready)
    }

    func testNothingElseBeginsWhileSomethingRuns() async throws {
        let model = model(FakeAssistant(endless: true))
        model.run()
        XCTAssertFalse(model.ready)
        model.stop()
        XCTAssertTrue(model.ready)
    }

    func testStoppingASummaryEndsItAndKeepsWhatThereIs() async throws {
        let assistant = FakeAssistant(events: [.text("So far")], endless: true)
        let model = model(assistant)
        model.run()
        try await until("some text") { model.answer.live.text == "So far" }
        model.stop()
        try await until("the stream is left") { await assistant.calls.left == 1 }
        XCTAssertEqual(model.outcome?.text, "So far")
        XCTAssertFalse(model.answer.live.running)
    }

    func testStoppingWhatComesAtOnceEndsItWithNothing() async throws {
        let assistant = FakeAssistant(endless: true)
        let model = model(assistant)
        model.form.task = .reply
        model.run()
        model.stop()
        try await until("the call is left") { await assistant.calls.left == 1 }
        XCTAssertNil(model.outcome)
        XCTAssertNil(model.answer.live.problem)
    }

    func testAnOutcomeIsOfWhatWasAskedFor() async throws {
        let model = model(FakeAssistant(events: [.text("So far")], endless: true))
        model.run()
        try await until("some text") { model.answer.live.text == "So far" }
        model.form.task = .reply
        model.stop()
        XCTAssertEqual(model.outcome?.task, .summarize)
    }

    func testStoppingAtRestChangesNothing() async throws {
        let model = model()
        try await run(model, .reply)
        let outcome = model.outcome
        model.stop()
        XCTAssertEqual(model.outcome, outcome)
    }

    func testWithoutAModelThereIsAWayOut() async throws {
        let model = model(FakeAssistant(failure: NoModelError()))
        for task in TextTask.allCases {
            try await run(model, task)
            XCTAssertEqual(model.answer.live.problem, .noModel, task.rawValue)
            XCTAssertNil(model.outcome)
        }
    }

    func testANewRunForgetsTheOldOutcome() async throws {
        let model = model()
        try await run(model, .reply)
        model.form.task = .summarize
        model.run()
        XCTAssertNil(model.outcome)
    }

    func testInputAndOutcomeSurviveARelaunch() async throws {
        let before = model()
        before.form.tone = .formal
        before.form.fields = "who"
        try await run(before, .extract)
        let after = TextModel(parts: .fake())
        after.restore(before.saved)
        XCTAssertEqual(after.form, before.form)
        XCTAssertEqual(after.outcome, before.outcome)
        XCTAssertNotNil(after.outcome)
    }

    func testABookIsNotSavedButTheRestIs() async throws {
        let before = model()
        before.form.input = String(repeating: "a", count: 50_001)
        before.form.task = .rewrite
        let after = TextModel(parts: .fake())
        after.restore(before.saved)
        XCTAssertEqual(after.form.input, "")
        XCTAssertEqual(after.form.task, .rewrite)
    }

    func testWhatCannotBeReadChangesNothing() async throws {
        let model = model()
        try await run(model, .reply)
        let (form, outcome) = (model.form, model.outcome)
        model.restore("")
        model.restore("{}")
        XCTAssertEqual(model.form, form)
        XCTAssertEqual(model.outcome, outcome)
    }

    func testASharedTextTakesThePlaceOfWhatWasThere() async throws {
        let parts = Parts.fake()
        let model = TextModel(parts: parts)
        XCTAssertFalse(model.takeShared())
        model.form.input = "old"
        try await run(model, .reply)
        try parts.handover.put("shared 👍")
        XCTAssertTrue(model.takeShared())
        XCTAssertEqual(model.form.input, "shared 👍")
        XCTAssertNil(model.outcome)
        XCTAssertFalse(model.takeShared())
    }

    func testAShortcutGetsTheWholeSummary() async throws {
        let assistant = FakeAssistant(events: [.text("One"), .text(" two")])
        let summary = try await assistant.summary(of: "a text", style: .sentence)
        XCTAssertEqual(summary, "One two")
    }

    func testAShortcutFailsAsTheScreenDoes() async throws {
        do {
            _ = try await FakeAssistant(failure: NoModelError()).summary(of: "a text", style: .sentence)
            XCTFail("a summary without a model")
        } catch {
            XCTAssertEqual(Problem(error), .noModel)
        }
    }

    func testAShortcutThatWasCancelledIsNoSummary() async throws {
        let assistant = FakeAssistant(events: [.text("Half")], endless: true)
        let task = Task { try await assistant.summary(of: "a text", style: .sentence) }
        let ended = Counter()
        Task {
            _ = await task.result
            await ended.add()
        }
        task.cancel()
        try await until("it ends") { await ended.count == 1 }
        let result = await task.result
        XCTAssertThrowsError(try result.get()) { XCTAssertTrue($0 is CancellationError, "\($0)") }
    }
}

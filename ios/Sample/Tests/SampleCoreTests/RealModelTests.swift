import Foundation
import Kinglet
import XCTest

@testable import SampleCore

/// The whole app but for its screens, with the library and SmolLM2 on the CPU.
@MainActor
final class RealModelTests: XCTestCase, @unchecked Sendable {
    private static let letter = """
        Dear Ms Schmidt, your appointment with Dr Weber is moved from Monday to Thursday, 14 May, at 9:30. Please bring \
        your insurance card and the results of the last blood test. If you cannot come, call us before Tuesday. \
        Kind regards, the practice team.
        """

    private static func model() throws -> StoredModel {
        let environment = ProcessInfo.processInfo.environment
        if environment["KINGLET_QUICK"] == "1" {
            throw XCTSkip("KINGLET_QUICK is set: nothing of the real model is tested")
        }
        let usual = URL(fileURLWithPath: NSHomeDirectory()).appendingPathComponent(".cache/kinglet/models")
        let folder = environment["KINGLET_MODELS"].map { URL(fileURLWithPath: $0) } ?? usual
        let file = folder.appendingPathComponent("smollm2-135m-instruct-q4_1.gguf")
        guard FileManager.default.fileExists(atPath: file.path) else {
            throw NotThereError(
                errorDescription: "\(file.path) is not there; fetch it, or say in KINGLET_MODELS where it is")
        }
        return StoredModel(file: file, bytes: 98_362_432, sha256: "0")
    }

    /// One for all tests, for loading takes its time.
    private static let opened = Result {
        OpenModel(models: FakeModels([try model()]), loading: Loading(), device: .cpu)
    }

    private func parts(_ folder: TestFolder) throws -> Parts {
        let model = try Self.opened.get()
        let queue = SummaryQueue(file: folder.url.appendingPathComponent("digests"))
        let fake = Parts.fake(folder: folder.url)
        return Parts(
            assistant: KingletAssistant(model: model, queue: queue),
            doctor: KingletDoctor(model: model),
            models: FakeModels([try Self.model()]),
            inbox: QueueInbox(queue: queue),
            notifications: fake.notifications,
            background: fake.background,
            choices: fake.choices,
            reports: fake.reports,
            handover: fake.handover,
            loading: fake.loading,
            settle: fake.settle
        )
    }

    private func text(_ task: TextTask, fill: (inout TextForm) -> Void = { _ in }) async throws -> TextModel {
        let folder = try TestFolder()
        let model = TextModel(parts: try parts(folder))
        model.form.input = Self.letter
        model.form.task = task
        fill(&model.form)
        model.run()
        try await until("it has ended") { !model.answer.live.running }
        XCTAssertNil(model.answer.live.problem)
        return model
    }

    func testALetterIsSummarised() async throws {
        let model = try await text(.summarize)
        let outcome = try XCTUnwrap(model.outcome)
        XCTAssertFalse(outcome.text.isEmpty)
        XCTAssertLessThan(outcome.text.count, Self.letter.count)
        XCTAssertEqual(model.answer.live.stats?.device, "cpu")
        XCTAssertEqual(outcome.text, model.answer.live.text)
    }

    func testALetterIsRewritten() async throws {
        let model = try await text(.rewrite) { $0.tone = .shorter }
        XCTAssertFalse(try XCTUnwrap(model.outcome).text.isEmpty)
    }

    func testWhatIsExtractedStandsInTheLetter() async throws {
        let model = try await text(.extract) { $0.fields = "doctor, time" }
        let lines = try XCTUnwrap(model.outcome).lines
        XCTAssertEqual(lines.map(\.name), ["doctor", "time"])
        for line in lines {
            if let value = line.value { XCTAssertTrue(Self.letter.contains(value), value) }
        }
    }

    func testALetterGetsALabel() async throws {
        let model = try await text(.classify) { $0.labels = "appointment, advertisement" }
        let lines = try XCTUnwrap(model.outcome).lines
        XCTAssertEqual(Set(lines.compactMap(\.name)), ["appointment", "advertisement"])
    }

    func testThreeAnswersAreSuggested() async throws {
        let model = try await text(.reply)
        let lines = try XCTUnwrap(model.outcome).lines.compactMap(\.value)
        XCTAssertEqual(Set(lines).count, 3)
    }

    func testStoppingStopsTheLibrary() async throws {
        let folder = try TestFolder()
        let model = TextModel(parts: try parts(folder))
        model.form.input = String(repeating: Self.letter, count: 20)
        model.form.style = .paragraph
        model.run()
        let engine = try await Self.opened.get().engine()
        try await until("it works") { engine.state == .working }
        model.stop()
        try await until("it rests") { engine.state == .idle }
        XCTAssertNil(model.answer.live.problem)
        XCTAssertNil(model.answer.live.stats)
    }

    func testADigestOfDemoNotificationsOutlivesTheProcess() async throws {
        let folder = try TestFolder()
        let parts = try parts(folder)
        let model = DigestModel(parts: parts)
        let watching = Task { await model.watch() }
        addTeardownBlock { watching.cancel() }
        await model.postDemo()
        try await until("they wait") { model.waiting.count == 4 }
        model.make()
        try await until("it is kept") { model.history.count == 1 }
        try await until("it has ended") { !model.answer.live.running }
        XCTAssertNil(model.answer.live.problem)
        XCTAssertFalse(model.answer.live.text.isEmpty)
        let again = try await self.parts(folder).inbox.history()
        XCTAssertEqual(again, model.history)
        XCTAssertEqual(again.first?.notifications.count, 4)
        await model.collect()
        let waiting = try await parts.inbox.waiting()
        XCTAssertEqual(waiting, [])
    }

    func testTheDeviceIsExamined() async throws {
        let folder = try TestFolder()
        let model = DiagnoseModel(parts: try parts(folder))
        XCTAssertFalse(model.version.isEmpty)
        await model.look()
        XCTAssertEqual(model.device?.kind, "cpu")
        XCTAssertNotNil(model.gpus)
        model.measure()
        try await until("it was measured") { model.running == nil }
        XCTAssertNil(model.problem)
        XCTAssertGreaterThan(try XCTUnwrap(model.benchmark).tokensPerSecond, 0)
    }

    func testTheShortcutSummarises() async throws {
        let folder = try TestFolder()
        let summary = try await parts(folder).assistant.summary(of: Self.letter, style: .headline)
        XCTAssertFalse(summary.isEmpty)
    }
}

private struct NotThereError: LocalizedError {
    let errorDescription: String?
}

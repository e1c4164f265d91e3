import Foundation
import Kinglet
import XCTest

@testable import SampleCore

/// The real parts together, with the library and a model of random weights.
@MainActor
final class PartsTests: XCTestCase, @unchecked Sendable {
    private func parts(in folder: TestFolder, device: Device = .cpu) throws -> Parts {
        let places = Places(
            kept: folder.url.appendingPathComponent("kept"),
            passing: folder.url.appendingPathComponent("passing"),
            shared: folder.url.appendingPathComponent("shared")
        )
        return try Parts(
            in: places,
            notifications: FakeNotifications(),
            device: device,
            background: { queue, _ in QueueFilling(queue: queue) },
            hash: { TestHash() }
        )
    }

    func testAnAppWithoutAModelSaysSoEverywhere() async throws {
        let folder = try TestFolder()
        let parts = try parts(in: folder)
        for work in [{ _ = try await parts.assistant.reply(to: "Hello") }, { _ = try await parts.doctor.device() }] {
            do {
                try await work()
                XCTFail("it worked without a model")
            } catch {
                XCTAssertEqual(Problem(error), .noModel)
            }
        }
        let digest = DigestModel(parts: parts)
        digest.make()
        try await until("nothing waits, so nothing is missing") { !digest.answer.live.running }
        XCTAssertNil(digest.answer.live.problem)
    }

    func testAChosenModelIsUsedUntilItIsDeleted() async throws {
        let folder = try TestFolder()
        let parts = try parts(in: folder)
        let models = ModelsModel(parts: parts)
        models.add(Repository.tiny)
        try await until("it is there") { models.entries.first?.facts != nil }
        let device = try await parts.doctor.device()
        XCTAssertEqual(device.kind, "cpu")
        await models.delete(models.entries[0].model)
        XCTAssertEqual(models.entries, [])
        do {
            _ = try await parts.doctor.device()
            XCTFail("a deleted model works")
        } catch {
            XCTAssertEqual(Problem(error), .noModel)
        }
    }

    func testModelsNotificationsAndChoicesOutliveTheProcess() async throws {
        let folder = try TestFolder()
        let before = try parts(in: folder)
        let model = try await before.models.add(Repository.tiny) { _ in }
        _ = try await before.inbox.add(key: "1", notification: Believable.notifications[0])
        await DigestModel(parts: before).setBackground(true)
        let after = try parts(in: folder)
        let (chosen, on) = (await after.models.chosen(), await after.choices.now.backgroundDigests)
        XCTAssertEqual(chosen, model)
        XCTAssertTrue(on)
        // The background was given the same queue.
        let waiting = try await after.inbox.waiting()
        XCTAssertEqual(waiting.map(\.app), ["Family", "background"])
    }

    func testAFaultIsFoundWhereThereIsAGPU() async throws {
        let folder = try TestFolder()
        let parts = try parts(in: folder, device: .automatic)
        _ = try await parts.models.add(Repository.tiny) { _ in }
        let model = DiagnoseModel(parts: parts)
        await model.look()
        model.fault = "zeros@blk.0.ffn_down"
        model.makeReport()
        try await until("it has ended") { model.running == nil }
        guard model.gpus?.contains(where: \.isUsable) == true else {
            guard case .said = model.problem else { return XCTFail("nothing is said of the missing GPU") }
            return
        }
        XCTAssertNil(model.problem)
        XCTAssertEqual(model.report?.verdict, .broken)
        XCTAssertEqual(model.report?.firstBad, "blk.0.ffn_down")
        let page = try String(contentsOf: XCTUnwrap(model.reportFile), encoding: .utf8)
        XCTAssertTrue(page.contains("blk.0.ffn_down"))
    }
}

/// Shows that it has the app's queue.
private struct QueueFilling: BackgroundDigests {
    let queue: SummaryQueue

    func set(_ on: Bool) async throws {
        try await queue.add(key: "background", notification: NotificationText(app: "background", title: "", text: ""))
    }
}

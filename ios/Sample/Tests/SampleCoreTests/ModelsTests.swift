import Kinglet
import XCTest

@testable import SampleCore

@MainActor
final class ModelsTests: XCTestCase, @unchecked Sendable {
    func testModelsAreShownWithWhatTheyNeed() async {
        let model = ModelsModel(parts: .fake())
        await model.look()
        XCTAssertEqual(model.entries.map(\.model), [Believable.model, Believable.tooLarge])
        XCTAssertEqual(model.entries.map(\.chosen), [true, false])
        XCTAssertEqual(model.entries.map(\.facts?.obstacle), [nil, Believable.obstacle])
        XCTAssertEqual(model.entries.map(\.facts?.plan), [Believable.plan, Believable.plan])
    }

    func testAModelThatCannotBeReadSaysWhy() async {
        let broken = StoredModel(file: URL(fileURLWithPath: "/models/broken.gguf"), bytes: 1, sha256: "")
        let model = ModelsModel(parts: .fake(models: FakeModels([broken, Believable.model])))
        await model.look()
        XCTAssertEqual(model.entries[0].problem, .noRoom(needed: 1, free: 0))
        XCTAssertNil(model.entries[0].facts)
        XCTAssertNil(model.entries[1].problem)
    }

    func testAPickedDocumentBecomesAModel() async throws {
        let model = ModelsModel(parts: .fake(models: FakeModels()))
        model.add(URL(fileURLWithPath: "/picked/new.gguf"))
        XCTAssertNotNil(model.copied)
        try await until("it is there") { model.entries.first?.facts != nil }
        XCTAssertNil(model.copied)
        XCTAssertEqual(model.entries.map(\.model.name), ["new"])
        XCTAssertTrue(model.entries[0].chosen)
    }

    func testACopyShowsHowFarItIsAndCanBeStopped() async throws {
        let store = FakeModels(endless: true)
        let model = ModelsModel(parts: .fake(models: store))
        model.add(URL(fileURLWithPath: "/picked/new.gguf"))
        try await until("it is on its way") { model.copied == Copied(bytes: 40, total: 100) }
        model.stopCopy()
        XCTAssertNil(model.copied)
        try await until("the copy is left") { await store.calls.left == 1 }
        await model.look()
        XCTAssertEqual(model.entries, [])
        XCTAssertNil(model.problem)
    }

    func testAFailedCopySaysWhy() async throws {
        let model = ModelsModel(parts: .fake(models: FakeModels(failure: NoRoomError(needed: 9, free: 1))))
        model.add(URL(fileURLWithPath: "/picked/new.gguf"))
        try await until("it has ended") { model.copied == nil }
        XCTAssertEqual(model.problem, .noRoom(needed: 9, free: 1))
        model.dismiss()
        XCTAssertNil(model.problem)
    }

    func testAPickerThatFailsIsHeard() async {
        let model = ModelsModel(parts: .fake())
        model.refused(TestError())
        XCTAssertEqual(model.problem, .said("the printer is on fire; fetch water"))
    }

    func testChoosingAndDeletingLetGoOfTheOldModel() async throws {
        let settled = Counter()
        let model = ModelsModel(parts: .fake(settle: { await settled.add() }))
        await model.look()
        await model.choose(Believable.tooLarge)
        XCTAssertEqual(model.entries.map(\.chosen), [false, true])
        await model.delete(Believable.tooLarge)
        XCTAssertEqual(model.entries.map(\.model), [Believable.model])
        XCTAssertEqual(model.entries.map(\.chosen), [false])
        let times = await settled.count
        XCTAssertEqual(times, 2)
    }
}

import Foundation
import Kinglet
import XCTest

@testable import SampleCore

/// The folder of models, with the library and a model of random weights.
final class ModelFolderTests: XCTestCase {
    private struct Fixture {
        let folder: TestFolder
        let choices: ChoicesFile

        init() throws {
            folder = try TestFolder()
            choices = ChoicesFile(file: folder.url.appendingPathComponent("choices.json"))
        }

        var models: URL { folder.url.appendingPathComponent("Models") }

        func open() throws -> ModelFolder {
            try ModelFolder(folder: models, choices: choices, device: .cpu) { TestHash() }
        }

        func files() throws -> [String] {
            try FileManager.default.contentsOfDirectory(atPath: models.path).sorted()
        }
    }

    func testADocumentIsCopiedWithItsHash() async throws {
        let fixture = try Fixture()
        let store = try fixture.open()
        let model = try await store.add(Repository.tiny) { _ in }
        let bytes = try Data(contentsOf: Repository.tiny)
        XCTAssertEqual(try Data(contentsOf: model.file), bytes)
        XCTAssertEqual(model.bytes, Int64(bytes.count))
        XCTAssertEqual(model.name, "tiny-llama-q8_0")
        var hash = TestHash()
        hash.update(bytes)
        XCTAssertEqual(model.sha256, hash.hexadecimal())
        let all = try await fixture.open().all()
        XCTAssertEqual(all, [model])
        XCTAssertEqual(try fixture.files(), ["tiny-llama-q8_0.gguf", "tiny-llama-q8_0.gguf.sha256"])
    }

    func testProgressReachesTheWholeFile() async throws {
        let fixture = try Fixture()
        let told = Told()
        _ = try await fixture.open().add(Repository.tiny) { told.append($0) }
        let size = Int64(try Data(contentsOf: Repository.tiny).count)
        XCTAssertEqual(told.all.last, Copied(bytes: size, total: size))
        XCTAssertEqual(told.all.map(\.bytes), told.all.map(\.bytes).sorted())
    }

    func testTheFirstModelIsChosenAndTheNextIsNot() async throws {
        let fixture = try Fixture()
        let store = try fixture.open()
        let first = try await store.add(Repository.tiny) { _ in }
        let second = try await store.add(Repository.tiny) { _ in }
        XCTAssertEqual(second.name, "tiny-llama-q8_0 (2)")
        var chosen = await store.chosen()
        XCTAssertEqual(chosen, first)
        try await store.choose(second)
        chosen = try await fixture.open().chosen()
        XCTAssertEqual(chosen, second)
    }

    func testADeletedModelIsGoneAndNotChosen() async throws {
        let fixture = try Fixture()
        let store = try fixture.open()
        let model = try await store.add(Repository.tiny) { _ in }
        try await store.delete(model)
        let (all, chosen, name) = (await store.all(), await store.chosen(), await fixture.choices.now.model)
        XCTAssertEqual(all, [])
        XCTAssertNil(chosen)
        XCTAssertNil(name)
        XCTAssertEqual(try fixture.files(), [])
    }

    func testAFileThatIsNoModelIsNotKept() async throws {
        let fixture = try Fixture()
        let note = fixture.folder.url.appendingPathComponent("note.gguf")
        try Data("not a model".utf8).write(to: note)
        let store = try fixture.open()
        do {
            _ = try await store.add(note) { _ in }
            XCTFail("a note was taken for a model")
        } catch let error as KingletError {
            guard case .gguf(let words) = error else { return XCTFail("\(error)") }
            XCTAssertEqual(Problem(error), .said(words))
        }
        XCTAssertEqual(try fixture.files(), [])
    }

    func testADocumentThatIsGoneSaysSo() async throws {
        let fixture = try Fixture()
        let store = try fixture.open()
        do {
            _ = try await store.add(fixture.folder.url.appendingPathComponent("gone.gguf")) { _ in }
            XCTFail("it was copied from nowhere")
        } catch {
            XCTAssertNotNil(Problem(error))
        }
        XCTAssertEqual(try fixture.files(), [])
    }

    func testACancelledCopyLeavesNothing() async throws {
        let fixture = try Fixture()
        let store = try fixture.open()
        // At the first piece, so that it is never too late.
        let task = Task { try await store.add(Repository.tiny) { _ in withUnsafeCurrentTask { $0?.cancel() } } }
        let result = await task.result
        XCTAssertThrowsError(try result.get()) { XCTAssertNil(Problem($0), "\($0)") }
        XCTAssertEqual(try fixture.files(), [])
    }

    func testWhatADeadProcessLeftUnfinishedGoes() async throws {
        let fixture = try Fixture()
        try FileManager.default.createDirectory(at: fixture.models, withIntermediateDirectories: true)
        try Data("half".utf8).write(to: fixture.models.appendingPathComponent("x.part"))
        let all = try await fixture.open().all()
        XCTAssertEqual(all, [])
        XCTAssertEqual(try fixture.files(), [])
    }

    func testFactsTellWhatAModelNeeds() async throws {
        let fixture = try Fixture()
        let store = try fixture.open()
        let model = try await store.add(Repository.tiny) { _ in }
        let facts = try await store.facts(of: model)
        XCTAssertEqual(facts.info.architecture, "llama")
        XCTAssertGreaterThan(facts.plan.weights, 0)
        XCTAssertEqual(facts.plan.total, facts.plan.weights + facts.plan.keyValue + facts.plan.scratch)
        XCTAssertNil(facts.obstacle)
    }

    func testFactsOfADamagedModelAreAnError() async throws {
        let fixture = try Fixture()
        let store = try fixture.open()
        let model = try await store.add(Repository.tiny) { _ in }
        try Data("GGUF".utf8).write(to: model.file)
        do {
            _ = try await store.facts(of: model)
            XCTFail("four bytes are a model")
        } catch {
            XCTAssertTrue(error is KingletError, "\(error)")
        }
    }
}

/// What was told, from whatever thread.
private final class Told: @unchecked Sendable {
    private let lock = NSLock()
    private var told: [Copied] = []

    var all: [Copied] { lock.withLock { told } }

    func append(_ copied: Copied) {
        lock.withLock { told.append(copied) }
    }
}

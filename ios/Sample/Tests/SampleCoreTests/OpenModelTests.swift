import Foundation
import Kinglet
import XCTest

@testable import SampleCore

/// The one model of the process, with the library and models of random weights.
@MainActor
final class OpenModelTests: XCTestCase, @unchecked Sendable {
    private func stored(_ name: String) -> StoredModel {
        let file = Repository.tiny.deletingLastPathComponent().appendingPathComponent(name)
        return StoredModel(file: file, bytes: 1, sha256: name)
    }

    private func opening(_ models: FakeModels) -> OpenModel {
        OpenModel(models: models, loading: Loading(), device: .cpu)
    }

    func testEverybodyGetsTheSameEngine() async throws {
        let model = opening(FakeModels([stored("tiny-llama-q8_0.gguf")]))
        async let one = model.engine()
        async let two = model.engine()
        let (first, second) = try await (one, two)
        XCTAssertTrue(first === second)
        await model.release()
        XCTAssertEqual(first.state, .closed)
    }

    func testAReleasedModelIsOpenedAgain() async throws {
        let model = opening(FakeModels([stored("tiny-llama-q8_0.gguf")]))
        let first = try await model.engine()
        await model.release()
        let second = try await model.engine()
        XCTAssertFalse(first === second)
        let tokens = try await second.countTokens("hello")
        XCTAssertGreaterThan(tokens, 0)
        await model.release()
    }

    func testAnotherChoiceClosesTheOldModel() async throws {
        let (llama, qwen) = (stored("tiny-llama-q8_0.gguf"), stored("tiny-qwen3-q8_0.gguf"))
        let models = FakeModels([llama, qwen])
        let model = opening(models)
        let first = try await model.engine()
        await model.settle()
        XCTAssertNotEqual(first.state, .closed)
        try await models.choose(qwen)
        await model.settle()
        XCTAssertEqual(first.state, .closed)
        let second = try await model.engine()
        XCTAssertEqual(second.info.architecture, "qwen3")
        await model.release()
    }

    func testTheNextOneOpensWhatIsChosenByThen() async throws {
        let models = FakeModels([stored("tiny-llama-q8_0.gguf"), stored("tiny-qwen3-q8_0.gguf")])
        let model = opening(models)
        let first = try await model.engine()
        try await models.choose(stored("tiny-qwen3-q8_0.gguf"))
        let second = try await model.engine()
        XCTAssertEqual(first.state, .closed)
        XCTAssertEqual(second.info.architecture, "qwen3")
        await model.release()
    }

    func testWithoutAChoiceThereIsNoModel() async throws {
        let model = opening(FakeModels())
        do {
            _ = try await model.engine()
            XCTFail("a model out of nothing")
        } catch {
            XCTAssertEqual(Problem(error), .noModel)
        }
    }

    func testADamagedModelFailsInTheLibrarysWordsAndIsTriedAgain() async throws {
        let folder = try TestFolder()
        let file = folder.url.appendingPathComponent("broken.gguf")
        try Data("GGUF".utf8).write(to: file)
        let model = opening(FakeModels([StoredModel(file: file, bytes: 4, sha256: "x")]))
        do {
            _ = try await model.engine()
            XCTFail("four bytes were opened")
        } catch {
            XCTAssertTrue(error is KingletError, "\(error)")
        }
        try FileManager.default.removeItem(at: file)
        try FileManager.default.copyItem(at: Repository.tiny, to: file)
        _ = try await model.engine()
        await model.release()
    }

    func testLoadingIsOverWhenTheModelIsThere() async throws {
        let loading = Loading()
        let models = FakeModels([stored("tiny-llama-q8_0.gguf")])
        let model = OpenModel(models: models, loading: loading, device: .cpu)
        _ = try await model.engine()
        XCTAssertNil(loading.fraction)
        loading.show(0.7)
        XCTAssertNil(loading.fraction, "told too late")
        loading.begin()
        loading.show(0.7)
        XCTAssertEqual(loading.fraction, 0.7)
        await model.release()
    }

    func testAnEngineForTheBackgroundIsAnotherOne() async throws {
        let model = opening(FakeModels([stored("tiny-llama-q8_0.gguf")]))
        let shared = try await model.engine()
        let own = try await model.another()
        XCTAssertEqual(shared.state, .closed)
        await own.close()
        let again = try await model.engine()
        XCTAssertNotEqual(again.state, .closed)
        await model.release()
    }
}

import XCTest

@testable import SampleCore

final class ChoicesTests: XCTestCase {
    func testChoicesOutliveTheProcess() async throws {
        let folder = try TestFolder()
        let file = folder.url.appendingPathComponent("in/choices.json")
        let before = ChoicesFile(file: file)
        try await before.change {
            $0.model = "small.gguf"
            $0.backgroundDigests = true
        }
        let after = await ChoicesFile(file: file).now
        XCTAssertEqual(after.model, "small.gguf")
        XCTAssertTrue(after.backgroundDigests)
    }

    func testABrokenFileIsAsIfNothingWasDecided() async throws {
        let folder = try TestFolder()
        let file = folder.url.appendingPathComponent("choices.json")
        try Data("{ no".utf8).write(to: file)
        let now = await ChoicesFile(file: file).now
        XCTAssertEqual(now, Choices())
    }

    func testWhatCannotBeWrittenIsNotDecided() async throws {
        let folder = try TestFolder()
        let inTheWay = folder.url.appendingPathComponent("file")
        try Data().write(to: inTheWay)
        let choices = ChoicesFile(file: inTheWay.appendingPathComponent("choices.json"))
        do {
            try await choices.change { $0.model = "small.gguf" }
            XCTFail("it was written into a file")
        } catch {
            let now = await choices.now
            XCTAssertNil(now.model)
        }
    }
}

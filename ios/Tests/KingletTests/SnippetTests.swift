import XCTest

@testable import Kinglet

/// What the README and the catalogue show is what compiles, and it runs.
final class SnippetTests: XCTestCase {
    private let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("../..").standardizedFileURL

    func testTheCodeThatIsShownCompiles() throws {
        let source = try lines(package.appendingPathComponent("Tests/KingletTests/Snippets.swift"))
        let folder = package.appendingPathComponent("Sources/Kinglet/Kinglet.docc")
        let articles = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
        var count = 0
        for page in articles + [package.appendingPathComponent("README.md")] {
            for block in try blocks(page) {
                XCTAssertTrue(contains(source, block), "\(page.lastPathComponent): \(block.joined(separator: "\n"))")
                count += 1
            }
        }
        XCTAssertGreaterThan(count, 8)
    }

    private func lines(_ file: URL) throws -> [String] {
        try String(contentsOf: file, encoding: .utf8).components(separatedBy: "\n")
            .map { $0.trimmingCharacters(in: .whitespaces) }
    }

    private func blocks(_ page: URL) throws -> [[String]] {
        var (blocks, block): ([[String]], [String]?) = ([], nil)
        for line in try lines(page) {
            if line == "```swift" {
                block = []
            } else if line == "```" {
                if let block { blocks.append(block) }
                block = nil
            } else {
                block?.append(line)
            }
        }
        return blocks
    }

    private func contains(_ source: [String], _ block: [String]) -> Bool {
        source.indices.contains { source[$0...].starts(with: block) }
    }

    func testItRunsToo() async throws {
        let folder = try Fixture.folder(for: self)
        let text = "The ferry leaves at seven."
        try await opening(Fixture.tiny()) { XCTFail($0) }
        let words = try await summarising(Fixture.tiny(), text)
        XCTAssertFalse(words.isEmpty)
        let engine = try await Fixture.engine(for: self)
        let (short, found) = (try await brief(engine, text), try await tasks(engine, text))
        XCTAssertFalse(short.isEmpty)
        XCTAssertEqual(found.count, 4)
        let digest = try await queueing(engine, folder)
        XCTAssertEqual(digest?.notifications.map(\.title), ["Anna"])
        let report = folder.appendingPathComponent("report.html")
        try await diagnosing(Configuration(model: Fixture.tiny()), report)
        XCTAssertGreaterThan(try Data(contentsOf: report).count, 1000)
    }
}

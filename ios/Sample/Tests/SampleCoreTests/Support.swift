import Foundation
import Kinglet
import XCTest

@testable import SampleCore

/// A folder of the test's own, gone at its end.
final class TestFolder {
    let url = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)

    init() throws {
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit {
        try? FileManager.default.removeItem(at: url)
    }
}

/// Not SHA-256, which the app takes from the system: it only has to tell bytes apart.
struct TestHash: FileHash {
    private var sum: UInt64 = 14_695_981_039_346_656_037

    mutating func update(_ data: Data) {
        for byte in data { sum = (sum ^ UInt64(byte)) &* 1_099_511_628_211 }
    }

    func hexadecimal() -> String {
        String(sum, radix: 16)
    }
}

/// What a test makes fail.
struct TestError: LocalizedError {
    var errorDescription: String? { "the printer is on fire; fetch water" }
}

extension XCTestCase {
    /// Waits until it is so. The deadline is for machines that are slow, and for tests that fail.
    @MainActor
    func until(
        _ what: String,
        file: StaticString = #filePath,
        line: UInt = #line,
        _ so: () async -> Bool
    ) async throws {
        let deadline = ContinuousClock.now + .seconds(60)
        while await !so() {
            guard ContinuousClock.now < deadline else {
                XCTFail("never: \(what)", file: file, line: line)
                throw CancellationError()
            }
            try await Task.sleep(for: .milliseconds(2))
        }
    }
}

/// Files of the repository, from where this file is.
enum Repository {
    static let sample = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    static let root = sample.deletingLastPathComponent().deletingLastPathComponent()

    /// A model with random weights, which is read in no time.
    static let tiny = root.appendingPathComponent("core/tests/data/tiny/tiny-llama-q8_0.gguf")

    /// All files under a folder that end so.
    static func files(in folder: String, ending: String) throws -> [URL] {
        let start = sample.appendingPathComponent(folder)
        let names = try XCTUnwrap(FileManager.default.enumerator(atPath: start.path), start.path)
        return names.compactMap { $0 as? String }.filter { $0.hasSuffix(ending) }.sorted()
            .map { start.appendingPathComponent($0) }
    }
}

/// Counts.
actor Counter {
    private(set) var count = 0

    func add() {
        count += 1
    }
}

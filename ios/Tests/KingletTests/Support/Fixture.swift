import Foundation
import XCTest

@testable import Kinglet

/// What the tests share: small random models, and SmolLM2.
enum Fixture {
    /// Where the core's own test data lies.
    private static let data: URL = {
        if let folder = ProcessInfo.processInfo.environment["KINGLET_DATA"] { return URL(fileURLWithPath: folder) }
        return URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("../../../../core/tests/data").standardizedFileURL
    }()

    /// A model of random weights.
    static func tiny(_ name: String = "tiny-llama-q4_0") -> URL {
        data.appendingPathComponent("tiny/\(name).gguf")
    }

    static let cpu = Configuration(model: tiny(), device: .cpu, threads: 1)

    /// The real model. It has to be there, unless whoever runs the tests says that it need not.
    static func smollm2() throws -> Configuration {
        let environment = ProcessInfo.processInfo.environment
        let folder =
            environment["KINGLET_MODELS"].map { URL(fileURLWithPath: $0) }
            ?? URL(fileURLWithPath: NSHomeDirectory()).appendingPathComponent(".cache/kinglet/models")
        let file = folder.appendingPathComponent("smollm2-135m-instruct-q4_1.gguf")
        if environment["KINGLET_QUICK"] == "1" {
            throw XCTSkip("KINGLET_QUICK is set: nothing of the real model is tested")
        }
        let found = try XCTUnwrap(
            FileManager.default.fileExists(atPath: file.path) ? file : nil,
            "\(file.path) is not there; cargo xtask model smollm2 gets it, KINGLET_MODELS says where it is")
        return Configuration(model: found, device: .cpu, threads: 2, context: 1024)
    }

    /// An engine, closed after the test.
    static func engine(
        _ configuration: Configuration = cpu,
        in phone: FakePhone = FakePhone(),
        for test: XCTestCase
    ) async throws -> Engine {
        let engine = try await Kinglet.open(configuration, in: phone)
        test.addTeardownBlock { await engine.close() }
        return engine
    }

    /// A folder of its own, gone after the test.
    static func folder(for test: XCTestCase) throws -> URL {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("kinglet-tests-\(UUID())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        test.addTeardownBlock { try? FileManager.default.removeItem(at: folder) }
        return folder
    }

    /// Exactly so many tokens, always the same.
    static func tokens(_ count: Int) -> GenerationOptions {
        var sampling = Sampling.greedy
        sampling.minimumTokens = count
        return GenerationOptions(maximumTokens: count, sampling: sampling)
    }
}

extension Sampling {
    /// Exactly so many tokens, always the same.
    static func tokens(_ count: Int) -> Sampling {
        Sampling(temperature: 0, topK: 0, topP: 1, minP: 0, maximumTokens: count, minimumTokens: count)
    }
}

extension Engine {
    /// Too many tokens to wait for.
    var endless: GenerationOptions { Fixture.tokens(contextLength - 8) }
}

extension EventStream {
    func all() async throws -> [Event] {
        var events: [Event] = []
        for try await event in self { events.append(event) }
        return events
    }
}

extension Array where Element == Event {
    var pieces: [String] {
        compactMap { if case .text(let text) = $0 { text } else { nil } }
    }

    var outcomes: [Outcome] {
        compactMap { if case .done(let outcome) = $0 { outcome } else { nil } }
    }

    var reasons: [ThrottleReason?] {
        compactMap { if case .throttled(let reason) = $0 { .some(reason) } else { nil } }
    }
}

/// What an async call fails with; a failure of the test where it does not.
func failure<Value>(
    of call: @autoclosure () async throws -> Value,
    file: StaticString = #filePath,
    line: UInt = #line
) async -> (any Error)? {
    do {
        let value = try await call()
        XCTFail("it gave \(value)", file: file, line: line)
        return nil
    } catch {
        return error
    }
}

/// Waits for what happens elsewhere.
func eventually(
    _ what: String,
    file: StaticString = #filePath,
    line: UInt = #line,
    _ isSo: () async throws -> Bool
) async throws {
    let deadline = Date().addingTimeInterval(60)
    while try await !isSo() {
        if Date() > deadline { return XCTFail("not within a minute: \(what)", file: file, line: line) }
        try await Task.sleep(nanoseconds: 5_000_000)
    }
}

/// Waits until an engine is in a state.
func becomes(
    _ state: EngineState,
    _ engine: Engine,
    file: StaticString = #filePath,
    line: UInt = #line
) async throws {
    try await eventually("the engine is \(state)", file: file, line: line) { engine.state == state }
}

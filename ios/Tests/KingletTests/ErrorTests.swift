import XCTest

@testable import Kinglet

/// Errors are the core's, word for word, and name the way out.
final class ErrorTests: XCTestCase {
    private func opening(_ configuration: Configuration) async -> KingletError? {
        let error = await failure(of: try await Kinglet.open(configuration, in: FakePhone()))
        return error as? KingletError
    }

    func testAMissingFileIsNamed() async throws {
        let error = await opening(Configuration(model: URL(fileURLWithPath: "/no/such/model.gguf")))
        guard case .io(let text)? = error else { return XCTFail("\(String(describing: error))") }
        XCTAssertTrue(text.hasPrefix("cannot read /no/such/model.gguf: No such file"), text)
    }

    func testTheDescriptionIsTheCoresText() async throws {
        let error = await opening(Configuration(model: Fixture.tiny(), device: .cpu, context: 1_000_000_000))
        guard case .option(let text)? = error else { return XCTFail("\(String(describing: error))") }
        XCTAssertNotNil(
            text.range(of: #"^option context: is 1000000000; give 1 to \d+$"#, options: .regularExpression), text)
        XCTAssertEqual(error?.errorDescription, text)
        XCTAssertEqual(error?.localizedDescription, text)
    }

    func testEveryKindIsOneOfTheCores() {
        let text = "the thing; the way out"
        let pairs: [(CoreError, KingletError)] = [
            (.Io(message: text), .io(text)), (.Gguf(message: text), .gguf(text)),
            (.UnsupportedFormat(message: text), .unsupportedFormat(text)),
            (.UnsupportedArchitecture(message: text), .unsupportedArchitecture(text)),
            (.Metadata(message: text), .metadata(text)), (.MissingTensor(message: text), .missingTensor(text)),
            (.TensorShape(message: text), .tensorShape(text)), (.Tokenizer(message: text), .tokenizer(text)),
            (.Template(message: text), .template(text)), (.Option(message: text), .option(text)),
            (.TokenId(message: text), .tokenID(text)), (.ContextFull(message: text), .contextFull(text)),
            (.Rollback(message: text), .rollback(text)), (.OutOfMemory(message: text), .outOfMemory(text)),
            (.NonFinite(message: text), .nonFinite(text)), (.Distrusted(message: text), .distrusted(text)),
            (.Precision(message: text), .precision(text)), (.NoGpu(message: text), .noGPU(text)),
            (.Gpu(message: text), .gpu(text)), (.Kernel(message: text), .kernel(text)),
            (.GpuLost(message: text), .gpuLost(text)), (.Suspended(message: text), .suspended(text)),
            (.Saved(message: text), .saved(text)), (.Report(message: text), .report(text)),
            (.Dump(message: text), .dump(text)), (.Poisoned(message: text), .poisoned(text)),
            (.Cancelled(message: text), .cancelled(text)), (.Constraint(message: text), .constraint(text)),
            (.Busy(message: text), .busy(text)), (.Closed(message: text), .closed(text)),
            (.Internal(message: text), .internal(text)),
        ]
        for (core, own) in pairs {
            XCTAssertEqual(KingletError(core), own)
            XCTAssertEqual(own.localizedDescription, text)
        }
        XCTAssertEqual(Set(pairs.map(\.1)).count, 31)
    }

    func testBrokenFilesAreRefused() async throws {
        let whole = try Data(contentsOf: Fixture.tiny())
        let broken = try Fixture.folder(for: self).appendingPathComponent("broken.gguf")
        for data in [Data(), Data("no model".utf8), whole.prefix(whole.count / 2), Data(count: 100) + whole] {
            try data.write(to: broken)
            let error = await opening(Configuration(model: broken, device: .cpu))
            guard case .gguf(let text)? = error else { return XCTFail("\(data.count): \(String(describing: error))") }
            XCTAssertFalse(text.isEmpty)
        }
    }

    func testNumbersThatMakeNoSenseAreNamed() async throws {
        let threads = await opening(Configuration(model: Fixture.tiny(), device: .cpu, threads: -1))
        XCTAssertEqual(threads, .option("option threads: is -1; give 0 or more"))
        let tier = await opening(Configuration(model: Fixture.tiny(), gpu: .init(tier: 7)))
        XCTAssertEqual(tier, .option("option tier: is 7; give 0, 1 or 2"))
        let huge = await opening(Configuration(model: Fixture.tiny(), gpu: .init(tier: 700)))
        XCTAssertEqual(huge, .option("option tier: is 700; give 0, 1 or 2"))
        let engine = try await Fixture.engine(for: self)
        let place = await failure(of: try await engine.session().truncate(to: -1))
        XCTAssertEqual(place as? KingletError, .option("option position: is -1; give 0 or more"))
        let many = GenerationOptions(maximumTokens: .max)
        let tokens = await failure(of: try await engine.session().respond(to: "a", options: many))
        XCTAssertEqual(
            tokens as? KingletError, .option("option maximumTokens: is \(Int.max); give at most \(UInt32.max)"))
    }

    func testAStreamFailsWithTheCoresWords() async throws {
        let engine = try await Fixture.engine(for: self)
        let wrong = GenerationOptions(sampling: Sampling(temperature: .nan))
        let error = await failure(of: try await engine.session().generate("a", options: wrong).all())
        guard case .option(let text)? = error as? KingletError else { return XCTFail("\(String(describing: error))") }
        XCTAssertTrue(text.hasPrefix("option temperature: is NaN; give 0"), text)
        try await becomes(.idle, engine)
    }

    func testTooManyWhoWaitAreToldSo() async throws {
        let engine = try await Fixture.engine(for: self)
        var running: EventStream.AsyncIterator? = engine.session().generate("a", options: engine.endless)
            .makeAsyncIterator()
        _ = try await running?.next()
        let refused = Guarded(0)
        let calls = (0..<70).map { _ in
            Task {
                do {
                    _ = try await engine.rewrite("text", tone: .formal, sampling: .tokens(1)).result()
                } catch KingletError.busy {
                    refused.with { $0 += 1 }
                }
            }
        }
        try await eventually("six are refused") { refused.with { $0 } == 6 }
        running = nil
        for call in calls { try await call.value }
        XCTAssertEqual(refused.with { $0 }, 6)
    }
}

import XCTest

@testable import Kinglet

/// What an engine tells of itself, of files and of GPUs. The GPU here is whatever Vulkan finds, a software one as well.
final class ReportTests: XCTestCase {
    private let short = DiagnosisOptions(tokens: 2)

    private func configuration(_ inject: String? = nil) throws -> Configuration {
        let folder = try Fixture.folder(for: self)
        return Configuration(model: Fixture.tiny(), gpu: .init(cacheFolder: folder, inject: inject))
    }

    func testABenchmarkMeasuresEachRun() async throws {
        let engine = try await Fixture.engine(for: self)
        let found = try await engine.benchmark(prefill: 32, decode: 8, repetitions: 3)
        XCTAssertEqual([found.promptSamples.count, found.samples.count], [3, 3])
        XCTAssertTrue(found.promptSamples.contains(found.promptTokensPerSecond))
        XCTAssertTrue(found.samples.contains(found.tokensPerSecond))
        XCTAssertTrue(found.samples.allSatisfy { $0 > 0 })
        let error = await failure(of: try await engine.benchmark(decode: 0))
        guard case .option? = error as? KingletError else { return XCTFail("\(String(describing: error))") }
    }

    func testAFileIsInspectedWithoutBeingLoaded() async throws {
        let engine = try await Fixture.engine(for: self)
        let info = try await Kinglet.inspect(Fixture.tiny())
        XCTAssertEqual(info, engine.info)
        XCTAssertEqual(info.architecture, "llama")
        XCTAssertTrue(info.layers > 0 && info.width > 0 && info.vocabulary > 0 && info.parameters > 0)
        let other = try await Kinglet.inspect(Fixture.tiny("tiny-gemma3-f16"))
        XCTAssertEqual(other.architecture, "gemma3")
    }

    func testGPUsAreListed() async throws {
        let gpus = try await Kinglet.gpus()
        XCTAssertTrue(gpus.contains { $0.isUsable }, "no Vulkan driver; Debian's mesa-vulkan-drivers has one")
        for gpu in gpus {
            XCTAssertFalse(gpu.name.isEmpty)
            XCTAssertTrue((0...2).contains(gpu.tier))
            XCTAssertTrue(gpu.isAutomatic || gpu.reason != nil, "\(gpu)")
        }
    }

    func testARightGPUIsFoundRight() async throws {
        let told = Guarded<[Double]>([])
        let found = try await Kinglet.diagnose(configuration(), prompt: "a secret prompt", options: short) { now in
            told.with { $0.append(now) }
        }
        // A node that is right may still be blamed for its time, which a busy machine decides.
        XCTAssertTrue([nil, "slow"].contains(found.kindOfFault), "\(found.verdict) \(found.kindOfFault ?? "")")
        XCTAssertGreaterThan(found.nodes, 10)
        XCTAssertFalse(told.with { $0.isEmpty })
        XCTAssertTrue(told.with { $0 }.allSatisfy { (0...1).contains($0) })
        XCTAssertFalse(found.json.contains("secret") || found.html.contains("secret"))
    }

    func testAFaultIsFoundAndShown() async throws {
        let found = try await Kinglet.diagnose(
            configuration("zeros@blk.1.ffn_down"), prompt: "One, two", options: short)
        XCTAssertEqual(found.verdict, .broken)
        XCTAssertEqual(found.firstBad, "blk.1.ffn_down")
        XCTAssertEqual(found.kindOfFault, "zeros")
        XCTAssertNotNil(found.kernel)
        XCTAssertTrue(found.html.hasPrefix("<!doctype html>") && found.html.contains("blk.1.ffn_down"))
        XCTAssertFalse(found.html.contains("http://") || found.html.contains("https://"))
        XCTAssertNotNil(try JSONSerialization.jsonObject(with: Data(found.json.utf8)) as? [String: Any])
    }

    func testAFaultThatIsNoneIsRefused() async throws {
        let wrong = try configuration("nonsense")
        let error = await failure(of: try await Kinglet.diagnose(wrong, prompt: "a", options: short))
        guard case .option(let text)? = error as? KingletError else { return XCTFail("\(String(describing: error))") }
        XCTAssertTrue(text.contains("inject"), text)
    }

    func testAGPUIsQualifiedOnce() async throws {
        let configuration = try configuration()
        let told = Guarded<[Double]>([])
        let first = try await Kinglet.qualify(configuration) { now in told.with { $0.append(now) } }
        XCTAssertEqual(first.fitness, .good)
        XCTAssertFalse(first.isCached)
        XCTAssertGreaterThan(first.runs, 0)
        XCTAssertTrue(first.json.contains(first.adapter))
        XCTAssertFalse(told.with { $0.isEmpty })
        let again = try await Kinglet.qualify(configuration)
        XCTAssertTrue(again.isCached)
        XCTAssertEqual(again.fitness, .good)
    }

    func testAKernelThatIsWrongIsReplaced() async throws {
        let found = try await Kinglet.qualify(configuration("zeros@blk.1.ffn_down"))
        XCTAssertNotEqual(found.fitness, .good)
        let first = try XCTUnwrap(found.replaced.first)
        XCTAssertFalse(first.node.isEmpty || first.from.isEmpty || first.to.isEmpty || first.why.isEmpty)
    }

    func testAGPUThatIsLostIsSaid() async throws {
        var configuration = try configuration()
        configuration.device = .gpu
        configuration.gpu.loseAfter = 30
        let engine = try await Fixture.engine(configuration, for: self)
        let error = await failure(of: try await engine.session().generate("a", options: engine.endless).all())
        guard case .gpuLost(let text)? = error as? KingletError else { return XCTFail("\(String(describing: error))") }
        XCTAssertFalse(text.isEmpty)
    }

    func testTheVersionIsANumber() {
        let version = Kinglet.version
        XCTAssertNotNil(version.range(of: #"^\d+\.\d+\.\d+"#, options: .regularExpression), version)
    }

    func testBothTellWhatRunsTheModel() async throws {
        let lines = Guarded<[(level: LogLevel, category: String)]>([])
        Log.told.with { $0 = { level, category, _ in lines.with { $0.append((level, category)) } } }
        addTeardownBlock {
            Kinglet.log(.off)
            Log.told.with { $0 = nil }
        }
        Kinglet.log(.info)
        var configuration = Fixture.cpu
        configuration.device = .automatic
        _ = try await Fixture.engine(configuration, for: self)
        try await eventually("the module and the core tell it") {
            let categories = lines.with { $0.map(\.category) }
            return categories.contains("engine") && categories.contains { $0.hasPrefix("kinglet::") }
        }
        XCTAssertTrue(lines.with { $0.allSatisfy { $0.level.rawValue <= LogLevel.info.rawValue && $0.level != .off } })
    }
}

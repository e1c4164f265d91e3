import XCTest

import struct KingletBindings.DiagnoseOptions
import struct KingletBindings.EngineOptions
import struct KingletBindings.ExtractOptions

@testable import Kinglet

/// What is left out is as the core thinks best.
final class DefaultsTests: XCTestCase {
    func testSamplingIsTheCoresStandard() throws {
        XCTAssertEqual(Sampling(), .standard)
        XCTAssertEqual(try GenerationOptions().core(), try Sampling.standard.core())
        XCTAssertEqual(try Sampling().core(), CoreSampling())
    }

    func testPresetsAreTheCores() throws {
        XCTAssertEqual(Sampling.greedy.temperature, 0)
        XCTAssertEqual(Sampling.faithful.maximumTokens, Int(UInt32.max))
        XCTAssertGreaterThan(Sampling.varied.temperature, Sampling.standard.temperature)
        for preset in [Sampling.standard, .greedy, .faithful, .varied] {
            XCTAssertEqual(Sampling(try preset.core()), preset)
        }
    }

    func testMaximumTokensGoBeforeTheSamplings() throws {
        XCTAssertEqual(try GenerationOptions(maximumTokens: 80).core().maxTokens, 80)
        XCTAssertEqual(try GenerationOptions(sampling: Sampling(maximumTokens: 7)).core().maxTokens, 7)
    }

    func testAConfigurationLeavesAllToTheCore() throws {
        let folder = FileManager.default.temporaryDirectory
        var core = try Configuration(model: Fixture.tiny(), gpu: .init(cacheFolder: folder)).core()
        XCTAssertEqual(core.gpu.cacheFolder, folder.path)
        core = try Configuration(model: Fixture.tiny()).core()
        XCTAssertTrue(core.gpu.cacheFolder?.hasSuffix("kinglet") == true, "\(String(describing: core.gpu.cacheFolder))")
        XCTAssertEqual(core, EngineOptions(device: .auto, gpu: .init(cacheFolder: core.gpu.cacheFolder)))
    }

    func testADiagnosisLeavesAllToTheCore() throws {
        XCTAssertEqual(try DiagnosisOptions().core(), DiagnoseOptions())
    }

    func testAnExtractionIsTheCores() {
        // What `extract` says where nothing is said.
        XCTAssertEqual(ExtractOptions(), ExtractOptions(verbatim: true, maxTokens: 40))
    }

    func testMannersAreGood() {
        let manners = Manners()
        XCTAssertFalse(manners.gpuInBackground)
        XCTAssertTrue(manners.throttle && manners.releaseOnMemoryWarning && manners.planMemory)
    }

    func testValuesSurviveJSON() throws {
        let outcome = Outcome(
            text: "a", groups: [DigestGroup(app: "b", count: 2, summary: "c")],
            stats: Stats(tokens: 3, switched: [DeviceSwitch(from: "gpu", to: "cpu", why: "d")], stop: .endOfText))
        XCTAssertEqual(try JSONDecoder().decode(Outcome.self, from: try JSONEncoder().encode(outcome)), outcome)
        let sampling = Sampling(logitBias: [3: 1.5], seed: .max, stop: ["."])
        XCTAssertEqual(try JSONDecoder().decode(Sampling.self, from: try JSONEncoder().encode(sampling)), sampling)
    }
}

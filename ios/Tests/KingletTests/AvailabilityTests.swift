import XCTest

@testable import Kinglet

final class AvailabilityTests: XCTestCase {
    private func reason(
        _ configuration: Configuration,
        in phone: FakePhone = FakePhone()
    ) async -> Availability.Reason? {
        guard case .unavailable(let reason) = await Kinglet.availability(of: configuration, in: phone) else {
            return nil
        }
        XCTAssertFalse(reason.text.isEmpty)
        return reason
    }

    func testAModelThatFitsIsAvailable() async throws {
        let plan = try await Kinglet.plan(Fixture.cpu)
        XCTAssertEqual(plan.total, plan.weights + plan.keyValue + plan.scratch)
        let available = await Kinglet.availability(of: Fixture.cpu)
        XCTAssertEqual(available, .available(plan))
        let engine = try await Fixture.engine(for: self)
        XCTAssertEqual(engine.memory.weights, plan.weights)
        XCTAssertEqual(engine.memory.keyValue, plan.keyValue)
    }

    func testAMissingFileIsUnreadable() async {
        let reason = await reason(Configuration(model: URL(fileURLWithPath: "/no/such/model.gguf")))
        guard case .unreadable(let text)? = reason else { return XCTFail("\(String(describing: reason))") }
        XCTAssertTrue(text.contains("/no/such/model.gguf"), text)
    }

    func testAnotherFileIsDamaged() async throws {
        let file = try Fixture.folder(for: self).appendingPathComponent("note.txt")
        try Data("no model".utf8).write(to: file)
        let reason = await reason(Configuration(model: file))
        guard case .damaged? = reason else { return XCTFail("\(String(describing: reason))") }
    }

    func testAFamilyThatIsNotBuiltInIsUnsupported() async throws {
        var model = try Data(contentsOf: Fixture.tiny())
        let key = try XCTUnwrap(model.range(of: Data("general.architecture".utf8)))
        let name = try XCTUnwrap(model.range(of: Data("llama".utf8), in: key.upperBound..<model.endIndex))
        model.replaceSubrange(name, with: Data("mamba".utf8))
        let file = try Fixture.folder(for: self).appendingPathComponent("mamba.gguf")
        try model.write(to: file)
        let reason = await reason(Configuration(model: file))
        guard case .unsupported(let text)? = reason else { return XCTFail("\(String(describing: reason))") }
        XCTAssertTrue(text.contains("mamba"), text)
    }

    func testAConfigurationThatMakesNoSenseIsSaid() async {
        let reason = await reason(Configuration(model: Fixture.tiny(), context: 1_000_000_000))
        guard case .misconfigured? = reason else { return XCTFail("\(String(describing: reason))") }
    }

    func testAModelThatDoesNotFitIsRefusedBeforeItIsLoaded() async throws {
        let phone = FakePhone(memory: 100)
        let reason = await reason(Fixture.cpu, in: phone)
        guard case .doesNotFit(let text)? = reason else { return XCTFail("\(String(describing: reason))") }
        XCTAssertTrue(text.contains("needs") && text.contains("1 MB more") && text.contains("smaller"), text)
        let told = Guarded<[LoadProgress]>([])
        do {
            _ = try await Kinglet.open(Fixture.cpu, in: phone) { now in told.with { $0.append(now) } }
            XCTFail("it was opened")
        } catch KingletError.doesNotFit(let same) {
            XCTAssertEqual(same, text)
        }
        XCTAssertTrue(told.with { $0 }.allSatisfy { $0.step == .opening })
        var asked = Fixture.cpu
        asked.manners.planMemory = false
        _ = try await Fixture.engine(asked, in: phone, for: self)
    }

    func testTheLimitIsExact() async throws {
        let total = try await Kinglet.plan(Fixture.cpu).total
        let enough = await reason(Fixture.cpu, in: FakePhone(memory: total))
        XCTAssertNil(enough)
        let tooLittle = await reason(Fixture.cpu, in: FakePhone(memory: total - 1))
        XCTAssertNotNil(tooLittle)
    }

    func testAPlanFollowsTheConfiguration() async throws {
        var smaller = Fixture.cpu
        smaller.context = 64
        let (large, small) = (try await Kinglet.plan(Fixture.cpu), try await Kinglet.plan(smaller))
        XCTAssertLessThan(small.keyValue, large.keyValue)
        var exact = Fixture.cpu
        exact.keyValueType = .float32
        let wide = try await Kinglet.plan(exact)
        XCTAssertEqual(wide.keyValue, 2 * large.keyValue)
    }
}

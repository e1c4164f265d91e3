import Kinglet
import XCTest

@testable import SampleCore

@MainActor
final class DiagnoseTests: XCTestCase, @unchecked Sendable {
    private func ended(_ model: DiagnoseModel) async throws {
        try await until("it has ended") { model.running == nil }
    }

    func testWhatIsKnownWithoutWork() async {
        let model = DiagnoseModel(parts: .fake())
        XCTAssertEqual(model.version, "1.2.3")
        XCTAssertNil(model.gpus)
        await model.look()
        XCTAssertEqual(model.gpus, [Believable.gpu])
        XCTAssertEqual(model.device, Believable.device)
    }

    func testWithoutAModelThereAreStillGPUs() async {
        let model = DiagnoseModel(parts: .fake(doctor: FakeDoctor(noModel: true)))
        await model.look()
        XCTAssertEqual(model.gpus, [Believable.gpu])
        XCTAssertNil(model.device)
        XCTAssertNil(model.problem)
    }

    func testWithoutAModelExaminationsSayWhatIsMissing() async throws {
        let model = DiagnoseModel(parts: .fake(doctor: FakeDoctor(noModel: true)))
        for examine in [model.qualify, model.measure, model.makeReport] {
            examine()
            try await ended(model)
            XCTAssertEqual(model.problem, .noModel)
        }
    }

    func testAQualificationIsShown() async throws {
        let model = DiagnoseModel(parts: .fake())
        model.qualify()
        XCTAssertEqual(model.running, .qualify)
        try await ended(model)
        XCTAssertEqual(model.qualification, Believable.qualification)
        XCTAssertNil(model.problem)
    }

    func testABenchmarkIsShown() async throws {
        let model = DiagnoseModel(parts: .fake())
        model.measure()
        try await ended(model)
        XCTAssertEqual(model.benchmark, Believable.benchmark)
    }

    func testAReportBecomesAFile() async throws {
        let parts = Parts.fake()
        let model = DiagnoseModel(parts: parts)
        XCTAssertNil(model.reportFile)
        model.makeReport()
        try await ended(model)
        XCTAssertEqual(model.report?.verdict, .same)
        let file = try XCTUnwrap(model.reportFile)
        XCTAssertEqual(file.pathExtension, "html")
        XCTAssertEqual(try String(contentsOf: file, encoding: .utf8), "<p>the same</p>")
        XCTAssertEqual(DiagnoseModel(parts: parts).reportFile, file)
    }

    func testAFaultIsFound() async throws {
        let model = DiagnoseModel(parts: .fake())
        model.fault = try XCTUnwrap(faults.first)
        model.makeReport()
        try await ended(model)
        XCTAssertEqual(model.report?.verdict, .broken)
        let file = try XCTUnwrap(model.reportFile)
        XCTAssertEqual(try String(contentsOf: file, encoding: .utf8), "<p>zeros@blk.0.ffn_down</p>")
    }

    func testProgressIsShownAndStopEndsIt() async throws {
        let doctor = FakeDoctor(endless: true)
        let model = DiagnoseModel(parts: .fake(doctor: doctor))
        model.qualify()
        try await until("it is half way") { model.progress == 0.5 }
        model.stop()
        XCTAssertNil(model.running)
        XCTAssertNil(model.progress)
        try await until("the call is left") { await doctor.calls.left == 1 }
        XCTAssertNil(model.qualification)
        XCTAssertNil(model.problem)
    }

    func testAFailureIsSaidAndGoesWithTheNextTry() async throws {
        let model = DiagnoseModel(parts: .fake(doctor: FakeDoctor(failure: KingletError.noGPU("there is no GPU"))))
        model.qualify()
        try await ended(model)
        XCTAssertEqual(model.problem, .said("there is no GPU"))
        model.measure()
        XCTAssertNil(model.problem)
    }
}

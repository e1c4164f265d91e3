import Foundation
import Kinglet
import Observation

/// What takes its time.
public enum Examination: Sendable {
    /// Is the graphics processor right?
    case qualify
    /// How fast is the model?
    case measure
    /// Where does the graphics processor go wrong?
    case report
}

/// What the device is, and whether it can be trusted.
@MainActor
@Observable
public final class DiagnoseModel {
    /// Of the package.
    public let version: String
    /// What runs the chosen model; nothing where none was chosen.
    public private(set) var device: DeviceInfo?
    /// Nothing while nobody knows.
    public private(set) var gpus: [GPUInfo]?
    /// What the graphics processor came to.
    public private(set) var qualification: Qualification?
    /// How fast the model is.
    public private(set) var benchmark: Benchmark?
    /// Where the graphics processor goes wrong.
    public private(set) var report: Divergence?
    /// The report, to be shared.
    public private(set) var reportFile: URL?
    /// What is being done.
    public private(set) var running: Examination?
    /// 0 to 1; nothing where nobody knows.
    public private(set) var progress: Double?
    /// What went wrong.
    public private(set) var problem: Problem?
    /// What spoils the next report on purpose, if anything: one of ``faults``.
    public var fault: String?

    @ObservationIgnored private let parts: Parts
    @ObservationIgnored private var task: Task<Void, Never>?
    @ObservationIgnored private var run = 0

    /// Knows nothing before ``look()``.
    public init(parts: Parts) {
        self.parts = parts
        version = parts.doctor.version
        reportFile = parts.reports.last
    }

    /// Fills in what is known without work. The model is opened for it, if one was chosen.
    public func look() async {
        guard running == nil else { return }
        do {
            gpus = try await parts.doctor.gpus()
            device = try await parts.doctor.device()
        } catch is NoModelError {
            device = nil
        } catch {
            problem = Problem(error) ?? problem
        }
    }

    /// Asks whether the graphics processor can be trusted.
    public func qualify() {
        examine(.qualify) { [parts] model, progress in
            model.qualification = try await parts.doctor.qualify(progress: progress)
        }
    }

    /// Measures how fast the model is.
    public func measure() {
        examine(.measure) { [parts] model, _ in model.benchmark = try await parts.doctor.benchmark() }
    }

    /// Looks for the place where the graphics processor goes wrong.
    public func makeReport() {
        let fault = fault
        examine(.report) { [parts] model, progress in
            let found = try await parts.doctor.diagnose(fault: fault, progress: progress)
            model.reportFile = try parts.reports.write(found.html)
            model.report = found
        }
    }

    /// Ends what runs.
    public func stop() {
        task?.cancel()
        end()
    }

    /// Nothing is said of the last problem any more.
    public func dismiss() {
        problem = nil
    }

    private func examine(
        _ what: Examination,
        _ work: @escaping @MainActor (DiagnoseModel, @escaping @Sendable (Double) -> Void) async throws -> Void
    ) {
        stop()
        problem = nil
        running = what
        let mine = run
        task = Task { [weak self] in
            guard let self else { return }
            var problem: Problem?
            do {
                try await work(self) { fraction in
                    Task { @MainActor [weak self] in self?.show(fraction, of: mine) }
                }
            } catch {
                problem = Problem(error)
            }
            if mine == self.run {
                self.end()
                self.problem = problem
            }
        }
    }

    private func end() {
        task = nil
        run += 1
        running = nil
        progress = nil
    }

    // What is told too late belongs to another run.
    private func show(_ fraction: Double, of run: Int) {
        if run == self.run { progress = fraction }
    }
}

import Foundation
internal import KingletBindings

/// Brings a model into memory, as often as it is asked to.
final class Loader: Sendable {
    private let configuration: Configuration
    private let surroundings: any Surroundings
    private let avoidedGPU = Guarded(false)

    init(_ configuration: Configuration, _ surroundings: any Surroundings) {
        self.configuration = configuration
        self.surroundings = surroundings
    }

    func open(_ progress: (@Sendable (LoadProgress) -> Void)?) async throws -> Engine {
        let tell = progress.map { progress in
            { @Sendable (news: WorkProgress) in
                progress(LoadProgress(fraction: news.fraction, step: news.total == 0 ? .opening : .weights))
            }
        }
        let engine = try await Work().watched(tell) { work in try await self.engine(work) }
        let residence = Residence(engine) { try await self.engine($0) }
        let watch = Watch(configuration, residence) { self.avoidedGPU.with { $0 } }
        await watch.start(surroundings)
        return Engine(engine, Calls(residence, watch))
    }

    /// What the model would take. It is an error if that is more than the app may still take.
    func fit() async throws -> MemoryPlan {
        let plan = try await plan()
        guard let left = surroundings.availableMemory, plan.total > left else { return plan }
        throw KingletError.doesNotFit(
            "the model needs \(megabytes(plan.total)) MB of memory, and the app may take \(megabytes(left)) MB more; "
                + "close other apps, or take a smaller model or a smaller context"
        )
    }

    func plan() async throws -> MemoryPlan {
        do {
            return MemoryPlan(try await KingletBindings.plan(path: configuration.model.path, options: try core()))
        } catch {
            throw KingletError.own(error)
        }
    }

    private func engine(_ work: Work) async throws -> CoreEngine {
        if configuration.manners.planMemory { _ = try await fit() }
        // A GPU is not even tried in the background.
        let avoided = await shallAvoidGPU()
        avoidedGPU.with { $0 = avoided }
        let options = try core(avoided ? .cpu : configuration.device)
        let engine: CoreEngine
        do {
            engine = try await CoreEngine.load(path: configuration.model.path, options: options, work: work)
            if Task.isCancelled {
                // Cancelled after it was loaded: nobody would close it.
                await engine.shutdown()
                throw CancellationError()
            }
        } catch {
            throw KingletError.own(error)
        }
        if let device = try? engine.device() {
            Log.info("\(configuration.model.lastPathComponent) runs on \(device.detail): \(device.reason)")
        }
        return engine
    }

    private func shallAvoidGPU() async -> Bool {
        guard configuration.device == .automatic, !configuration.manners.gpuInBackground else { return false }
        return await !surroundings.isForeground()
    }

    private func core(_ device: Device? = nil) throws -> EngineOptions {
        var configuration = configuration
        configuration.device = device ?? configuration.device
        return try configuration.core()
    }

    private func megabytes(_ bytes: Int) -> Int {
        bytes / 1_000_000 + (bytes % 1_000_000 == 0 ? 0 : 1)
    }
}

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
        let engine = try await engine(tell)
        let residence = Residence(engine) { try await self.engine(nil) }
        let watch = Watch(configuration, residence) { self.avoidedGPU.with { $0 } }
        await watch.start(surroundings)
        return Engine(engine, Calls(residence, watch, contextLength: Int(engine.context())))
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

    private func engine(_ tell: (@Sendable (WorkProgress) -> Void)?) async throws -> CoreEngine {
        if configuration.manners.planMemory { _ = try await fit() }
        let engine = try await wherePossible(tell)
        if Task.isCancelled {
            // Cancelled after it was loaded: nobody would close it.
            await engine.shutdown()
            throw CancellationError()
        }
        if let device = try? engine.device() {
            Log.info("\(configuration.model.lastPathComponent) runs on \(device.detail): \(device.reason)")
        }
        return engine
    }

    /// A GPU is not even tried in the background, and is let go of when the app goes there on the way.
    private func wherePossible(_ tell: (@Sendable (WorkProgress) -> Void)?) async throws -> CoreEngine {
        avoidedGPU.with { $0 = false }
        let (device, work, hasLeft) = (configuration.device, Work(), Guarded(false))
        let needsNoGPU = device == .cpu || device == .reference
        if needsNoGPU || configuration.manners.gpuInBackground { return try await load(device, work, tell) }
        let observation = await surroundings.observe { signal in
            guard signal == .foreground(false) else { return }
            hasLeft.with { $0 = true }
            work.cancel()
        }
        defer { observation.letGo() }
        do {
            return try await load(device, work, tell)
        } catch KingletError.cancelled where hasLeft.with({ $0 }) {
            if device == .gpu {
                throw KingletError.suspended("the GPU may not work in the background; open the model in the foreground")
            }
            avoidedGPU.with { $0 = true }
            return try await load(.cpu, Work(), tell)
        }
    }

    private func load(
        _ device: Device,
        _ work: Work,
        _ tell: (@Sendable (WorkProgress) -> Void)?
    ) async throws -> CoreEngine {
        let (path, options) = (configuration.model.path, try core(device))
        return try await work.watched(tell) { try await CoreEngine.load(path: path, options: options, work: $0) }
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

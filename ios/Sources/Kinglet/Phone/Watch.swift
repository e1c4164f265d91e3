internal import KingletBindings

/// Does what the phone asks for, for as long as a model is open.
final class Watch: Sendable {
    private struct State {
        var heat = Heat.nominal
        var savesPower = false
        var isSuspendedByApp = false
        var isInBackground = false
        var observation: Lease?
        var work: Task<Void, Never>?

        var reason: ThrottleReason? {
            switch heat {
            case .critical: .hot
            case .serious: .warm
            case .nominal, .fair: savesPower ? .lowPowerMode : nil
            }
        }
    }

    private let configuration: Configuration
    private let residence: Residence
    /// Whether the engine is on the CPU only because it was loaded in the background.
    private let avoidedGPU: @Sendable () -> Bool
    private let state = Guarded(State())

    init(_ configuration: Configuration, _ residence: Residence, avoidedGPU: @escaping @Sendable () -> Bool) {
        self.configuration = configuration
        self.residence = residence
        self.avoidedGPU = avoidedGPU
    }

    func start(_ surroundings: any Surroundings) async {
        let observation = await surroundings.observe { [weak self] signal in self?.follow(signal) }
        state.with { $0.observation = observation }
        residence.onLoaded { [weak self] engine in self?.prepare(engine) }
    }

    /// Why it is slower now.
    var reason: ThrottleReason? {
        state.with { $0.reason }
    }

    /// What the app itself asks for; the GPU works when both want it to.
    func suspendGPU(_ suspended: Bool) throws {
        if residence.activity.isClosed { throw KingletError.closed }
        state.with { $0.isSuspendedByApp = suspended }
        present(gate)
    }

    private func follow(_ signal: Signal) {
        let manners = configuration.manners
        switch signal {
        case .foreground(let visible):
            if manners.gpuInBackground || configuration.device == .cpu { return }
            state.with { $0.isInBackground = !visible }
            // Here and now: it returns once the GPU has nothing more to do, which is what the system waits for.
            present(gate)
            if visible && avoidedGPU() { later { [residence] in await Self.takeGPU(residence) } }
        case .heat(let heat):
            if manners.throttle { throttle { $0.heat = heat } }
        case .lowPower(let saves):
            if manners.throttle { throttle { $0.savesPower = saves } }
        case .memory(let pressure):
            if manners.releaseOnMemoryWarning { later { [residence] in await Self.release(residence, pressure) } }
        }
    }

    private func prepare(_ engine: CoreEngine) {
        do {
            try engine.setEffort(effort: effort)
            try gate(engine)
        } catch {
            // It was closed at this very moment.
        }
    }

    private func gate(_ engine: CoreEngine) throws {
        if state.with({ $0.isSuspendedByApp || $0.isInBackground }) {
            try engine.suspend(meanwhile: .leave)
        } else {
            try engine.resume()
        }
    }

    private func throttle(_ change: (inout State) -> Void) {
        let (before, now) = state.with { state in
            let before = state.reason
            change(&state)
            return (before, state.reason)
        }
        if before == now { return }
        Log.info(now.map { "the engine works less hard: \($0)" } ?? "the engine works as hard as it can")
        present { try $0.setEffort(effort: effort) }
    }

    private var effort: Effort {
        switch reason {
        case nil: .full
        case .lowPowerMode, .warm: .half
        case .hot: .quarter
        }
    }

    /// Tells the engine, if there is one; the next one is told when it is loaded.
    private func present(_ tell: (CoreEngine) throws -> Void) {
        do {
            if let engine = residence.present { try tell(engine) }
        } catch {
            // It was given back, or closed, at this very moment.
        }
    }

    /// Something that takes its time, for as long as this watches; one after the other.
    private func later(_ work: @escaping @Sendable () async -> Void) {
        state.with { state in
            let before = state.work
            state.work = Task {
                await withTaskCancellationHandler {
                    await before?.value
                } onCancel: {
                    before?.cancel()
                }
                if !Task.isCancelled { await work() }
            }
        }
    }

    /// Gives the model back as soon as nobody uses it, so that the next call may load it on the GPU.
    private static func takeGPU(_ residence: Residence) async {
        for await state in residence.activity.shown.stream {
            switch state {
            case .idle: if await residence.giveBack() { return }
            case .working: continue
            case .unloaded, .closed: return
            }
        }
    }

    private static func release(_ residence: Residence, _ pressure: Pressure) async {
        if let engine = residence.present, (try? await engine.trim()) != nil {
            Log.info("caches were given back, for memory is short")
        }
        if pressure == .all, await residence.giveBack() { Log.info("the model was given back, for memory is short") }
    }

    func stop() {
        let (observation, work) = state.with { state in
            defer { (state.observation, state.work) = (nil, nil) }
            return (state.observation, state.work)
        }
        observation?.letGo()
        work?.cancel()
    }

    deinit {
        stop()
    }
}

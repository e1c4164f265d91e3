@testable import Kinglet

/// A phone that does what a test says.
final class FakePhone: Surroundings {
    private struct State {
        var memory: Int?
        var isVisible = true
        var heat = Heat.nominal
        var savesPower = false
        var watchers: [Int: @Sendable (Signal) -> Void] = [:]
        var came = 0
        var leavesFor = 0
    }

    private let state = Guarded(State())

    init(isVisible: Bool = true, savesPower: Bool = false, memory: Int? = nil) {
        state.with { ($0.isVisible, $0.savesPower, $0.memory) = (isVisible, savesPower, memory) }
    }

    var watchers: Int { state.with { $0.watchers.count } }

    var availableMemory: Int? { state.with { $0.memory } }

    /// Is visible when it is asked, and gone right after, so many times.
    func leavesAtOnce(_ times: Int) {
        state.with { $0.leavesFor = times }
    }

    func observe(_ tell: @escaping @Sendable (Signal) -> Void) async -> Lease {
        let (number, signals): (Int, [Signal]) = state.with { state in
            state.came += 1
            state.watchers[state.came] = tell
            return (state.came, [.heat(state.heat), .lowPower(state.savesPower), .foreground(state.isVisible)])
        }
        signals.forEach(tell)
        let leaves = state.with { state in
            state.leavesFor -= 1
            return state.leavesFor >= 0
        }
        if leaves { show(false) }
        return Lease { [state] in state.with { $0.watchers[number] = nil } }
    }

    func has(_ memory: Int?) {
        state.with { $0.memory = memory }
    }

    func show(_ isVisible: Bool) {
        state.with { $0.isVisible = isVisible }
        tell(.foreground(isVisible))
    }

    func becomes(_ heat: Heat) {
        state.with { $0.heat = heat }
        tell(.heat(heat))
    }

    func saves(_ power: Bool) {
        state.with { $0.savesPower = power }
        tell(.lowPower(power))
    }

    func warns(_ pressure: Pressure = .all) {
        tell(.memory(pressure))
    }

    private func tell(_ signal: Signal) {
        for watcher in state.with({ Array($0.watchers.values) }) { watcher(signal) }
    }
}

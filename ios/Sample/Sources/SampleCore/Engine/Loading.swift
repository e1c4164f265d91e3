import Observation

/// How far the model is on its way into memory.
@MainActor
@Observable
public final class Loading {
    /// 0 to 1; nothing where no model is on its way.
    public private(set) var fraction: Double?

    /// None is on its way.
    public init() {}

    func begin() {
        fraction = 0
    }

    /// What is told too late is not shown.
    func show(_ fraction: Double) {
        if self.fraction != nil { self.fraction = fraction }
    }

    func end() {
        fraction = nil
    }
}

/// What a phone asks of an app that computes. All of it is done by default, without the app's help.
public struct Manners: Sendable, Hashable, Codable {
    /// Lets the GPU work in the background, which iOS ends apps for.
    ///
    /// By default it works in the foreground only: a model opened in the background is opened on the CPU, and what runs
    /// when the app goes there goes on on the CPU (``Device/automatic``) or ends with ``KingletError/suspended(_:)``
    /// (``Device/gpu``).
    public var gpuInBackground: Bool
    /// Works less hard on a warm phone and in Low Power Mode, and says so by ``Event/throttled(_:)``. Answers are the
    /// same.
    public var throttle: Bool
    /// Gives memory back when the system warns: first what makes the next call faster, then what sessions hold, which is
    /// saved to a file and read again, then the model itself, while nobody uses it.
    public var releaseOnMemoryWarning: Bool
    /// Refuses a model that does not fit before it is loaded, with ``KingletError/doesNotFit(_:)``.
    public var planMemory: Bool

    /// Good manners, unless something is said.
    public init(
        gpuInBackground: Bool = false,
        throttle: Bool = true,
        releaseOnMemoryWarning: Bool = true,
        planMemory: Bool = true
    ) {
        self.gpuInBackground = gpuInBackground
        self.throttle = throttle
        self.releaseOnMemoryWarning = releaseOnMemoryWarning
        self.planMemory = planMemory
    }
}

/// Why an engine works less hard.
public enum ThrottleReason: Sendable, Hashable, Codable, CaseIterable {
    /// The person saves battery: half of the threads, and as much rest as work.
    case lowPowerMode
    /// The phone gets warm: the same.
    case warm
    /// The phone is hot: a quarter of the threads, and three times as much rest as work.
    case hot
}

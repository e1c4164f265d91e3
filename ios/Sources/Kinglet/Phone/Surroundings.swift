/// What a phone tells an app.
protocol Surroundings: Sendable {
    /// Bytes that the app may still take; none where the system does not tell.
    var availableMemory: Int? { get }

    /// Tells what is so now, before it returns, and then each change, until the lease ends.
    func observe(_ tell: @escaping @Sendable (Signal) -> Void) async -> Lease
}

/// News of the phone.
enum Signal: Sendable, Equatable {
    /// The app came to the foreground, or left it.
    case foreground(Bool)
    /// How warm the phone is.
    case heat(Heat)
    /// The person saves battery, or does not any more.
    case lowPower(Bool)
    /// The system wants memory back.
    case memory(Pressure)
}

/// How warm a phone is: `ProcessInfo.ThermalState`, which Linux lacks.
enum Heat: Sendable {
    case nominal
    case fair
    case serious
    case critical
}

/// What the system wants back.
enum Pressure: Sendable {
    /// What makes the next call faster, and is not needed for it.
    case spare
    /// All that nobody uses.
    case all
}

/// A machine that tells nothing: it has no background, no warnings, and memory enough.
struct QuietSurroundings: Surroundings {
    var availableMemory: Int? { nil }

    func observe(_ tell: @escaping @Sendable (Signal) -> Void) async -> Lease {
        Lease {}
    }
}

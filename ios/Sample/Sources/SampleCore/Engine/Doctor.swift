import Kinglet

/// Examines the device and what runs on it. ``NoModelError`` where a model is needed and none was chosen.
public protocol Doctor: Sendable {
    /// Of the package.
    var version: String { get }

    /// What runs the chosen model.
    func device() async throws -> DeviceInfo

    /// The graphics processors that there are, usable or not.
    func gpus() async throws -> [GPUInfo]

    /// How fast the chosen model is.
    func benchmark() async throws -> Benchmark

    /// Whether the graphics processor says what the CPU says, kernel by kernel.
    func qualify(progress: @escaping @Sendable (Double) -> Void) async throws -> Qualification

    /// Where the graphics processor leaves the CPU's path. A fault spoils its values on purpose.
    func diagnose(fault: String?, progress: @escaping @Sendable (Double) -> Void) async throws -> Divergence
}

/// Asks the system to have digests made while nobody uses the app.
public protocol BackgroundDigests: Sendable {
    /// From now on, or not any more.
    func set(_ on: Bool) async throws
}

/// What happened to the calls of a fake.
public actor FakeCalls {
    /// Those that were left before their end.
    public private(set) var left = 0

    /// None yet.
    public init() {}

    /// Does not end until whoever waits leaves.
    func wait() async throws {
        do {
            while true { try await Task.sleep(for: .seconds(3600)) }
        } catch {
            left += 1
            throw error
        }
    }
}

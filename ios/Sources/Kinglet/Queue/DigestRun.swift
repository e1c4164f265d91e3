/// A queue summarised while the app is not there: the model is opened if something waits, and closed whatever happens.
struct DigestRun: Sendable {
    let queue: SummaryQueue
    let open: @Sendable () async throws -> Engine

    /// What was made. Cancelled, what was made until then is kept, and the rest waits.
    func run() async throws -> [StoredDigest] {
        if try await queue.waiting().isEmpty { return [] }
        let engine = try await open()
        do {
            let made = try await all(Summarizer(engine))
            await engine.close()
            return made
        } catch {
            await engine.close()
            throw error
        }
    }

    private func all(_ summarizer: Summarizer) async throws -> [StoredDigest] {
        var made: [StoredDigest] = []
        while let digest = try await summarizer.drain(queue) { made.append(digest) }
        return made
    }
}

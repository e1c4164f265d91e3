import Kinglet

/// The steps of an answer, as they come. Leaving the loop stops the work.
public typealias Events = AsyncThrowingStream<Event, any Error>

/// What the app asks of a language model. Everything fails with ``NoModelError`` until a model was chosen.
public protocol Assistant: Sendable {
    /// Shortens a text.
    func summarize(_ text: String, style: SummaryStyle) -> Events

    /// Says the same in another tone.
    func rewrite(_ text: String, tone: Tone) -> Events

    /// Short answers to a message.
    func reply(to message: String) async throws -> [String]

    /// Each label with its probability.
    func classify(_ text: String, labels: [String]) async throws -> [(label: String, probability: Double)]

    /// Each field with what the text says of it, if anything.
    func extract(_ text: String, fields: [String]) async throws -> [(field: String, value: String?)]

    /// Makes a digest of all that waits, while it can be read; at the end it is kept. Empty where nothing waits.
    func digest() -> Events
}

/// No model was chosen yet.
public struct NoModelError: Error {
    /// The only one there is.
    public init() {}
}

extension AsyncThrowingStream where Element == Event, Failure == any Error {
    /// Does the work at once, and stops it when the reader leaves.
    static func telling(
        _ work: @escaping @Sendable (_ tell: @escaping @Sendable (Event) -> Void) async throws -> Void
    ) -> Events {
        Events { continuation in
            let task = Task {
                do {
                    try await work { continuation.yield($0) }
                    continuation.finish()
                } catch {
                    continuation.finish(throwing: error)
                }
            }
            continuation.onTermination = { _ in task.cancel() }
        }
    }
}

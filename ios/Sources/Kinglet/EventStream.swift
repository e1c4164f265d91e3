/// Events of an answer on its way. It is cold: each loop over it begins the work anew.
///
/// ```swift
/// for try await event in engine.summarize(text) { label += event }
/// ```
///
/// Leaving the loop, cancelling the task or letting go of the iterator stops the core within one submission. A loop sees
/// exactly one ``Event/done(_:)``, or an error; a cancelled task's is `CancellationError`.
public struct EventStream: AsyncSequence, Sendable {
    /// What it is a sequence of.
    public typealias Element = Event

    private let make: @Sendable () -> any EventSource

    init(_ make: @escaping @Sendable () -> any EventSource) {
        self.make = make
    }

    /// A stream of ready events, for previews and tests.
    public init(_ events: @escaping @Sendable () -> AsyncThrowingStream<Event, any Error>) {
        make = { GivenEvents(events()) }
    }

    /// Begins.
    public func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(source: make())
    }

    /// One reading of the stream.
    public struct AsyncIterator: AsyncIteratorProtocol, Sendable {
        let source: any EventSource

        /// The next event; `nil` after the last one, and after an error.
        public mutating func next() async throws -> Event? {
            try await source.next()
        }
    }

    /// Waits for the end.
    public func result() async throws -> Outcome {
        for try await event in self {
            if case .done(let outcome) = event { return outcome }
        }
        throw KingletError.internal("Kinglet failed inside: a stream ended without its last event; report this")
    }

    /// The answer as it grows, each time whole: what a screen shows. The last one is that of ``Event/done(_:)``.
    public var texts: AsyncThrowingStream<String, any Error> {
        let (source, shown) = (make(), Guarded(""))
        return AsyncThrowingStream {
            while let event = try await source.next() {
                let (before, now) = shown.with { text in
                    let before = text
                    if case .done(let outcome) = event { text = outcome.text } else { text += event }
                    return (before, text)
                }
                if case .done = event { return now }
                if now != before { return now }
            }
            return nil
        }
    }

    /// The same events as a type that apps know.
    public var events: AsyncThrowingStream<Event, any Error> {
        let source = make()
        return AsyncThrowingStream { try await source.next() }
    }
}

/// What one reader pulls.
protocol EventSource: AnyObject, Sendable {
    func next() async throws -> Event?
}

/// Ready events, for one reader.
private final class GivenEvents: EventSource, @unchecked Sendable {
    private var iterator: AsyncThrowingStream<Event, any Error>.Iterator
    private let turn = Turn()

    init(_ events: AsyncThrowingStream<Event, any Error>) {
        iterator = events.makeAsyncIterator()
    }

    func next() async throws -> Event? {
        let lease = try await turn.take()
        defer { lease.letGo() }
        let event = try await iterator.next()
        try Task.checkCancellation()
        return event
    }
}

import Kinglet

/// Answers without a model, for previews and tests.
public struct FakeAssistant: Assistant {
    /// What streams tell, before their end.
    public var events: [Event]
    /// Streams do not end by themselves.
    public var endless: Bool
    /// What everything fails with.
    public var failure: (any Error)?
    /// Where digests are kept.
    public var inbox: FakeInbox
    /// What happened to it.
    public let calls = FakeCalls()

    /// Answers with one text.
    public init(
        events: [Event] = [.text(Believable.summary)],
        endless: Bool = false,
        failure: (any Error)? = nil,
        inbox: FakeInbox = FakeInbox()
    ) {
        self.events = events
        self.endless = endless
        self.failure = failure
        self.inbox = inbox
    }

    public func summarize(_ text: String, style: SummaryStyle) -> Events { stream() }

    public func rewrite(_ text: String, tone: Tone) -> Events { stream() }

    public func reply(to message: String) async throws -> [String] {
        try await answer(["See you at seven!", "Sorry, I can't make it.", "Could we do eight?"])
    }

    public func classify(_ text: String, labels: [String]) async throws -> [(label: String, probability: Double)] {
        // The last one wins, so that the order is seen to change.
        let sum = Double(labels.count * (labels.count + 1) / 2)
        return try await answer(labels.enumerated().map { ($1, Double($0 + 1) / sum) })
    }

    public func extract(_ text: String, fields: [String]) async throws -> [(field: String, value: String?)] {
        try await answer(fields.enumerated().map { ($1, $0 == 1 ? nil : "Value \($0 + 1)") })
    }

    public func digest() -> Events {
        Events.telling { [self] tell in
            guard await !inbox.waiting().isEmpty else { return }
            for try await event in stream() {
                if case .done(let outcome) = event { await inbox.digest(outcome.text) } else { tell(event) }
            }
        }
    }

    private func answer<Value>(_ value: Value) async throws -> Value {
        if let failure { throw failure }
        if endless { try await calls.wait() }
        return value
    }

    private func stream() -> Events {
        Events.telling { [self] tell in
            if let failure { throw failure }
            var text = ""
            for event in events {
                text += event
                tell(event)
            }
            if endless { try await calls.wait() }
            tell(.done(Believable.outcome(text)))
        }
    }
}

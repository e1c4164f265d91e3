import Kinglet

/// The model that was chosen, over the package.
public struct KingletAssistant: Assistant {
    private let model: OpenModel
    private let queue: SummaryQueue

    /// Digests are made of what waits in the queue.
    public init(model: OpenModel, queue: SummaryQueue) {
        self.model = model
        self.queue = queue
    }

    public func summarize(_ text: String, style: SummaryStyle) -> Events {
        stream { $0.summarize(text, style: style) }
    }

    public func rewrite(_ text: String, tone: Tone) -> Events {
        stream { $0.rewrite(text, tone: tone) }
    }

    public func reply(to message: String) async throws -> [String] {
        try await model.engine().reply(to: message).suggestions
    }

    public func classify(_ text: String, labels: [String]) async throws -> [(label: String, probability: Double)] {
        try await model.engine().classify(text, labels: labels).probabilities.map { ($0.label, $0.probability) }
    }

    public func extract(_ text: String, fields: [String]) async throws -> [(field: String, value: String?)] {
        try await model.engine().extract(text, fields: fields).fields.map { ($0.name, $0.value) }
    }

    public func digest() -> Events {
        Events.telling { [model, queue] tell in
            var first = true
            // It takes so many at once, and waiting for nothing needs no model.
            while try await !queue.waiting().isEmpty {
                if !first { tell(.text("\n\n")) }
                first = false
                guard try await Summarizer(model.engine()).drain(queue, tell: { tell($0) }) != nil else { return }
            }
        }
    }

    private func stream(_ begin: @escaping @Sendable (Engine) -> EventStream) -> Events {
        Events.telling { [model] tell in
            for try await event in begin(try await model.engine()) { tell(event) }
        }
    }
}

import Foundation
import Observation

/// A text, what is to be done with it, and what came of it.
@MainActor
@Observable
public final class TextModel {
    /// What the person filled in.
    public var form = TextForm()
    /// What came of it.
    public private(set) var outcome: TextOutcome?
    /// What is being made.
    public let answer = Answer()

    @ObservationIgnored private let parts: Parts
    // The form may change while something runs.
    @ObservationIgnored private var asked = TextTask.summarize

    /// Empty.
    public init(parts: Parts) {
        self.parts = parts
    }

    /// There is a text, and nothing runs.
    public var ready: Bool {
        !answer.live.running && form.input.contains { !$0.isWhitespace }
    }

    /// A text from elsewhere takes the place of what was there.
    public func take(_ text: String) {
        forget()
        form.input = text
    }

    /// Takes the text that was shared with the app, if there is one. True where there was.
    public func takeShared() -> Bool {
        guard let text = parts.handover.take() else { return false }
        take(text)
        return true
    }

    /// Does it.
    public func run() {
        forget()
        let assistant = parts.assistant
        let form = form
        asked = form.task
        switch form.task {
        case .summarize: stream(assistant.summarize(form.input, style: form.style.style))
        case .rewrite: stream(assistant.rewrite(form.input, tone: form.tone.tone))
        case .extract:
            once {
                let fields = TextForm.names(form.fields, usual: .fieldsUsual)
                return try await assistant.extract(form.input, fields: fields).map {
                    .init(name: $0.field, value: $0.value)
                }
            }
        case .classify:
            once {
                let labels = TextForm.names(form.labels, usual: .labelsUsual)
                return try await assistant.classify(form.input, labels: labels)
                    .sorted { $0.probability > $1.probability }
                    .map { .init(name: $0.label, value: Amount.percent($0.probability)) }
            }
        case .reply:
            once { try await assistant.reply(to: form.input).map { .init(value: $0) } }
        }
    }

    /// Ends what runs. What there is of a text can be used.
    public func stop() {
        guard answer.live.running else { return }
        answer.stop()
        if !answer.live.text.isEmpty { keep([.init(value: answer.live.text)]) }
    }

    private func stream(_ events: Events) {
        answer.begin(events) { [weak self] in self?.keep([.init(value: $0)]) }
    }

    private func once(_ work: @escaping @MainActor () async throws -> [TextOutcome.Line]) {
        answer.wait { [weak self] in
            let lines = try await work()
            try Task.checkCancellation()
            self?.keep(lines)
        }
    }

    private func keep(_ lines: [TextOutcome.Line]) {
        outcome = TextOutcome(task: asked, lines: lines)
    }

    private func forget() {
        answer.clear()
        outcome = nil
    }
}

extension TextModel {
    private struct Saved: Codable {
        var form: TextForm
        var outcome: TextOutcome?
    }

    // The system keeps it with the scene, and is not to be given books.
    private static let longest = 50_000

    /// All of it in a form that outlives the process. A very long text has to be given again.
    public var saved: String {
        var saved = Saved(form: form, outcome: outcome)
        if form.input.count > Self.longest { saved.form.input = "" }
        if let outcome, outcome.text.count > Self.longest { saved.outcome = nil }
        guard let data = try? JSONEncoder().encode(saved) else { return "" }
        return String(decoding: data, as: UTF8.self)
    }

    /// Goes on where ``saved`` was. What cannot be read changes nothing.
    public func restore(_ saved: String) {
        guard let saved = try? JSONDecoder().decode(Saved.self, from: Data(saved.utf8)) else { return }
        forget()
        form = saved.form
        outcome = saved.outcome
    }
}

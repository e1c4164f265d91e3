import Kinglet

extension Assistant {
    /// A whole summary at once, for the system's shortcuts.
    public func summary(of text: String, style: StyleChoice) async throws -> String {
        var summary = ""
        for try await event in summarize(text, style: style.style) {
            summary += event
            if case .done(let outcome) = event { summary = outcome.text }
        }
        // A stream that was left ends as if it were whole.
        try Task.checkCancellation()
        return summary
    }
}

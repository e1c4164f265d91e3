internal import KingletBindings

extension Engine {
    /// Shortens a text.
    public func summarize(
        _ text: String,
        style: SummaryStyle = .sentence,
        length: SummaryLength? = nil,
        sampling: Sampling? = nil
    ) -> EventStream {
        calls.stream { engine in
            let options = SummarizeOptions(
                style: style.core, length: try length?.core(), sampling: try sampling?.core())
            return try engine.summarize(text: text, options: options)
        }
    }

    /// Says the same in another tone, or without mistakes.
    public func rewrite(_ text: String, tone: Tone, sampling: Sampling? = nil) -> EventStream {
        calls.stream { try $0.rewrite(text: text, tone: tone.core, sampling: try sampling?.core()) }
    }

    /// One sentence for each app that had something to say; ``Outcome/groups`` has them one by one.
    public func digest(_ notifications: [NotificationText], sampling: Sampling? = nil) -> EventStream {
        calls.stream { try $0.digest(notifications: notifications.map(\.core), sampling: try sampling?.core()) }
    }

    /// Finds named fields in a text.
    ///
    /// - Parameters:
    ///   - verbatim: Whether values must stand in the text, letter by letter; off, they may be put in other words.
    ///   - maximumTokens: The most tokens of a value.
    public func extract(
        _ text: String,
        fields: [String],
        verbatim: Bool = true,
        maximumTokens: Int = 40
    ) async throws -> Extraction {
        let options = ExtractOptions(verbatim: verbatim, maxTokens: try unsigned(maximumTokens, "maximumTokens"))
        return try await calls.whole(\.stats) { engine, work in
            Extraction(try await engine.extract(text: text, fields: fields, options: options, work: work))
        }
    }

    /// Chooses one of the labels for a text.
    ///
    /// - Parameter calibrate: Subtracts what the model would say of no text in particular.
    public func classify(_ text: String, labels: [String], calibrate: Bool = true) async throws -> Classification {
        try await calls.whole(\.stats) { engine, work in
            Classification(
                try await engine.classify(text: text, labels: labels, calibrate: calibrate, work: work))
        }
    }

    /// Suggests three short answers to a message.
    public func reply(to message: String, sampling: Sampling? = nil) async throws -> Suggestions {
        let sampling = try sampling?.core()
        return try await calls.whole(\.stats) { engine, work in
            Suggestions(try await engine.reply(message: message, sampling: sampling, work: work))
        }
    }
}

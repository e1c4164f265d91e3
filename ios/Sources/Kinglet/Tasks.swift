/// What a summary looks like.
public enum SummaryStyle: String, Sendable, Hashable, Codable, CaseIterable {
    /// One sentence.
    case sentence
    /// A few short lines, each with a dash.
    case bullets
    /// A few words, as over an article.
    case headline
    /// A short paragraph.
    case digest
}

/// How long a summary should be at most.
public enum SummaryLength: Sendable, Hashable, Codable {
    /// About so many words; at least 1.
    case words(Int)
    /// So many sentences, or lines where the style is bullets; at least 1.
    case sentences(Int)
}

/// How a text should sound.
public enum Tone: Sendable, Hashable, Codable {
    /// Warm.
    case friendly
    /// Polite and businesslike.
    case formal
    /// The same in fewer words.
    case shorter
    /// Only mistakes change.
    case proofread
    /// In the app's words: `more confident`, `like a pirate`. Not empty.
    case custom(String)
}

/// A notification.
public struct NotificationText: Sendable, Hashable, Codable {
    /// The app's name.
    public var app: String
    /// Who or what it is from.
    public var title: String
    /// What it says.
    public var text: String
    /// When, in any form that sorts as text.
    public var time: String

    /// A notification.
    public init(app: String, title: String, text: String, time: String = "") {
        self.app = app
        self.title = title
        self.text = text
        self.time = time
    }
}

/// A text's label.
public struct Classification: Sendable, Hashable, Codable {
    /// The most probable label; none for an empty text.
    public var label: String?
    /// One for each label, in the order given; they sum to 1. None for an empty text.
    public var probabilities: [LabelProbability]
    /// What it took.
    public var stats: Stats

    /// A classification, for previews and tests.
    public init(label: String?, probabilities: [LabelProbability], stats: Stats = .init()) {
        self.label = label
        self.probabilities = probabilities
        self.stats = stats
    }
}

/// A label, and how likely it is.
public struct LabelProbability: Sendable, Hashable, Codable {
    /// As given.
    public var label: String
    /// 0 to 1.
    public var probability: Double

    /// A label, for previews and tests.
    public init(label: String, probability: Double) {
        self.label = label
        self.probability = probability
    }
}

/// What was found in a text.
public struct Extraction: Sendable, Hashable, Codable {
    /// Each field asked for, in that order.
    public var fields: [ExtractedField]
    /// Parts that the text was split into.
    public var parts: Int
    /// What it took.
    public var stats: Stats

    /// An extraction, for previews and tests.
    public init(fields: [ExtractedField], parts: Int = 1, stats: Stats = .init()) {
        self.fields = fields
        self.parts = parts
        self.stats = stats
    }

    /// What the text says of a field; `nil` where it does not say.
    public subscript(name: String) -> String? {
        fields.first { $0.name == name }?.value
    }
}

/// A field, and what a text says of it.
public struct ExtractedField: Sendable, Hashable, Codable {
    /// As asked for.
    public var name: String
    /// None where the text does not say.
    public var value: String?

    /// A field, for previews and tests.
    public init(name: String, value: String?) {
        self.name = name
        self.value = value
    }
}

/// Suggested answers.
public struct Suggestions: Sendable, Hashable, Codable {
    /// Three different ones; none for an empty message.
    public var suggestions: [String]
    /// What it took.
    public var stats: Stats

    /// Suggestions, for previews and tests.
    public init(suggestions: [String], stats: Stats = .init()) {
        self.suggestions = suggestions
        self.stats = stats
    }
}

/// One step of an answer. A stream ends with exactly one ``done(_:)``, or with an error.
public enum Event: Sendable, Hashable {
    /// More text, to be added: whole characters of Unicode, never a part of one.
    case text(String)
    /// A GPU was found out: so many Unicode scalars at the end of the text were wrong and go. What is right follows.
    case takeBack(characters: Int)
    /// A device was given up, and another goes on.
    case switched(DeviceSwitch)
    /// The phone is warm or saves battery, and the work goes on more slowly; `nil` once that is over.
    case throttled(ThrottleReason?)
    /// Another part of a long text has begun, from 1. Summaries of parts are summarised in the next round, from 0.
    case progress(part: Int, parts: Int, round: Int)
    /// The end.
    case done(Outcome)
}

/// A device was given up, and another went on.
public struct DeviceSwitch: Sendable, Hashable, Codable {
    /// Tokens of the answer that were there before.
    public var token: Int
    /// The kind of the device that failed, or that may not work now.
    public var from: String
    /// The kind of the device that went on.
    public var to: String
    /// What was wrong.
    public var why: String

    /// A switch, for previews and tests.
    public init(token: Int = 0, from: String, to: String, why: String) {
        self.token = token
        self.from = from
        self.to = to
        self.why = why
    }
}

/// What a stream came to.
public struct Outcome: Sendable, Hashable, Codable {
    /// The whole text. A task's is trimmed.
    public var text: String
    /// Parts that the text was split into to fit the context; 1 for a generation.
    public var parts: Int
    /// One for each app, for a digest alone.
    public var groups: [DigestGroup]
    /// What it took.
    public var stats: Stats

    /// An outcome, for previews and tests.
    public init(text: String, parts: Int = 1, groups: [DigestGroup] = [], stats: Stats = .init()) {
        self.text = text
        self.parts = parts
        self.groups = groups
        self.stats = stats
    }
}

/// What one app had to say, in a digest.
public struct DigestGroup: Sendable, Hashable, Codable {
    /// The app.
    public var app: String
    /// Its notifications.
    public var count: Int
    /// One sentence of them.
    public var summary: String

    /// A group, for previews and tests.
    public init(app: String, count: Int, summary: String) {
        self.app = app
        self.count = count
        self.summary = summary
    }
}

/// What came out of a task, as lines: a text is one, suggestions are three, labels and fields have names.
public struct TextOutcome: Codable, Equatable, Sendable {
    /// One of them.
    public struct Line: Codable, Equatable, Sendable {
        /// A field's or label's; none of a text.
        public var name: String?
        /// Nothing where the text does not say.
        public var value: String?

        /// A line.
        public init(name: String? = nil, value: String?) {
            self.name = name
            self.value = value
        }
    }

    /// What was done.
    public var task: TextTask
    /// What came of it.
    public var lines: [Line]

    /// An outcome.
    public init(task: TextTask, lines: [Line]) {
        self.task = task
        self.lines = lines
    }

    /// To copy or share.
    public var text: String {
        lines.map { line in
            guard let name = line.name else { return line.value ?? "" }
            return "\(name): \(line.value ?? "–")"
        }.joined(separator: "\n")
    }
}

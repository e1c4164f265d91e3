/// How much of a comparison an app can afford. What is left out is the core's: a minute, 32 tokens, no text.
public struct DiagnosisOptions: Sendable, Hashable, Codable {
    /// What the GPU is fed with; ``DiagnosisMode/isolated`` by default.
    public var mode: DiagnosisMode?
    /// Goes on after the first node that is wrong.
    public var all: Bool
    /// The prompt's first tokens that are compared.
    public var promptTokens: Int?
    /// Tokens that both devices continue the prompt with.
    public var tokens: Int?
    /// Runs of each node, to find what is wrong now and then.
    public var repeats: Int?
    /// No node begins after so many seconds.
    public var seconds: Int?
    /// Lets the report hold token ids, which are the text.
    public var withTokenIDs: Bool
    /// Lets the report hold the first wrong node's inputs, which tell the text too.
    public var withInputs: Bool

    /// Options; all may be left out.
    public init(
        mode: DiagnosisMode? = nil,
        all: Bool = false,
        promptTokens: Int? = nil,
        tokens: Int? = nil,
        repeats: Int? = nil,
        seconds: Int? = nil,
        withTokenIDs: Bool = false,
        withInputs: Bool = false
    ) {
        self.mode = mode
        self.all = all
        self.promptTokens = promptTokens
        self.tokens = tokens
        self.repeats = repeats
        self.seconds = seconds
        self.withTokenIDs = withTokenIDs
        self.withInputs = withInputs
    }
}

/// What the GPU is fed with in a comparison.
public enum DiagnosisMode: String, Sendable, Hashable, Codable, CaseIterable {
    /// The CPU's inputs: blames an operation and not those before it.
    case isolated
    /// Its own: shows how errors grow.
    case drift
}

/// What a comparison comes to.
public enum Verdict: String, Sendable, Hashable, Codable, CaseIterable {
    /// Nothing but rounding.
    case same
    /// No node is wrong, but the devices part.
    case drift
    /// A node is wrong.
    case broken
}

/// Where a GPU parts from the CPU. It holds numbers and names, and no text but what was asked for.
public struct Divergence: Sendable, Hashable, Codable {
    /// What it comes to.
    public var verdict: Verdict
    /// The first node that is wrong.
    public var firstBad: String?
    /// What kind of wrong it is: `overflow`, `zeros`, `tile`, ...
    public var kindOfFault: String?
    /// The kernels that compute it.
    public var kernel: String?
    /// Nodes that were compared.
    public var nodes: Int
    /// Whether all was compared, before time was up.
    public var isWhole: Bool
    /// All of it, to be sent.
    public var json: String
    /// The same for people: one HTML file, which loads nothing.
    public var html: String

    /// A report, for previews and tests.
    public init(
        verdict: Verdict,
        firstBad: String? = nil,
        kindOfFault: String? = nil,
        kernel: String? = nil,
        nodes: Int = 0,
        isWhole: Bool = true,
        json: String = "{}",
        html: String = ""
    ) {
        self.verdict = verdict
        self.firstBad = firstBad
        self.kindOfFault = kindOfFault
        self.kernel = kernel
        self.nodes = nodes
        self.isWhole = isWhole
        self.json = json
        self.html = html
    }
}

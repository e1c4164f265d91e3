/// How fast an engine is, in tokens a second.
public struct Benchmark: Sendable, Hashable, Codable {
    /// Reading a prompt; the median.
    public var promptTokensPerSecond: Double
    /// Writing; the median.
    public var tokensPerSecond: Double
    /// Reading, each run.
    public var promptSamples: [Double]
    /// Writing, each run.
    public var samples: [Double]
    /// `cpu`, `gpu` or `reference`.
    public var device: String

    /// A benchmark, for previews and tests.
    public init(
        promptTokensPerSecond: Double,
        tokensPerSecond: Double,
        promptSamples: [Double],
        samples: [Double],
        device: String
    ) {
        self.promptTokensPerSecond = promptTokensPerSecond
        self.tokensPerSecond = tokensPerSecond
        self.promptSamples = promptSamples
        self.samples = samples
        self.device = device
    }
}

/// What a GPU is good for with a model.
public enum Fitness: String, Sendable, Hashable, Codable, CaseIterable {
    /// Everything is right as it is.
    case good
    /// Everything is right since some kernels were replaced.
    case replaced
    /// The model must run on the CPU.
    case cpu
}

/// What a GPU came to when it was asked for every kernel of a model.
public struct Qualification: Sendable, Hashable, Codable {
    /// What it is good for.
    public var fitness: Fitness
    /// What was replaced, in order.
    public var replaced: [Replacement]
    /// Whether this was known from an earlier time, and nothing ran.
    public var isCached: Bool
    /// The GPU.
    public var adapter: String
    /// Its driver and version.
    public var driver: String
    /// Nodes and tokens that it computed now.
    public var runs: Int
    /// How long that took.
    public var milliseconds: Double
    /// All of it, to be sent.
    public var json: String

    /// A qualification, for previews and tests.
    public init(
        fitness: Fitness,
        replaced: [Replacement] = [],
        isCached: Bool = false,
        adapter: String,
        driver: String,
        runs: Int = 0,
        milliseconds: Double = 0,
        json: String = "{}"
    ) {
        self.fitness = fitness
        self.replaced = replaced
        self.isCached = isCached
        self.adapter = adapter
        self.driver = driver
        self.runs = runs
        self.milliseconds = milliseconds
        self.json = json
    }
}

/// A kernel that was given up.
public struct Replacement: Sendable, Hashable, Codable {
    /// The node that was wrong.
    public var node: String
    /// The kernel, or `gpu`.
    public var from: String
    /// What stands in for it.
    public var to: String
    /// What was wrong.
    public var why: String

    /// A replacement, for previews and tests.
    public init(node: String, from: String, to: String, why: String) {
        self.node = node
        self.from = from
        self.to = to
        self.why = why
    }
}

internal import KingletBindings

/// How tokens are chosen, and when to stop. The defaults suit instruct models of 100 million to 1 billion parameters.
public struct Sampling: Sendable, Hashable, Codable {
    /// Divides the logits; 0 takes the largest one always.
    public var temperature: Float
    /// Keeps the `k` largest; 0 keeps all.
    public var topK: Int
    /// Keeps the fewest of the most probable that reach this sum; 1 keeps all.
    public var topP: Float
    /// Keeps those with at least this part of the largest probability; 0 keeps all.
    public var minP: Float
    /// Divides a positive and multiplies a negative logit of a token that the answer has; 1 does nothing.
    public var repetitionPenalty: Float
    /// Subtracted from the logit of a token that the answer has.
    public var presencePenalty: Float
    /// Subtracted from a token's logit for each time that the answer has it.
    public var frequencyPenalty: Float
    /// How many of the answer's last tokens the penalties look at.
    public var penaltyWindow: Int
    /// Added to the logits of tokens, by their ids.
    public var logitBias: [Int: Float]
    /// The same seed gives the same choices from the same logits.
    public var seed: UInt64
    /// The most tokens to generate.
    public var maximumTokens: Int
    /// The fewest tokens to generate before the model may end the text.
    public var minimumTokens: Int
    /// The text ends before the first of these.
    public var stop: [String]

    /// Sampling for conversations, unless something is said.
    public init(
        temperature: Float = 0.3,
        topK: Int = 40,
        topP: Float = 0.95,
        minP: Float = 0.05,
        repetitionPenalty: Float = 1,
        presencePenalty: Float = 0,
        frequencyPenalty: Float = 0,
        penaltyWindow: Int = 64,
        logitBias: [Int: Float] = [:],
        seed: UInt64 = 0,
        maximumTokens: Int = 512,
        minimumTokens: Int = 0,
        stop: [String] = []
    ) {
        self.temperature = temperature
        self.topK = topK
        self.topP = topP
        self.minP = minP
        self.repetitionPenalty = repetitionPenalty
        self.presencePenalty = presencePenalty
        self.frequencyPenalty = frequencyPenalty
        self.penaltyWindow = penaltyWindow
        self.logitBias = logitBias
        self.seed = seed
        self.maximumTokens = maximumTokens
        self.minimumTokens = minimumTokens
        self.stop = stop
    }

    /// For conversations: what `Sampling()` is.
    public static let standard = Sampling(sampling(preset: .standard))
    /// Always the most probable token.
    public static let greedy = Sampling(sampling(preset: .greedy))
    /// For tasks that stay close to their text.
    public static let faithful = Sampling(sampling(preset: .faithful))
    /// For suggestions that are to differ from each other.
    public static let varied = Sampling(sampling(preset: .varied))
}

extension Sampling {
    init(_ core: CoreSampling) {
        self.init(
            temperature: core.temperature,
            topK: Int(core.topK),
            topP: core.topP,
            minP: core.minP,
            repetitionPenalty: core.repetitionPenalty,
            presencePenalty: core.presencePenalty,
            frequencyPenalty: core.frequencyPenalty,
            penaltyWindow: Int(core.penaltyWindow),
            logitBias: Dictionary(core.logitBias.map { (Int($0.id), $0.bias) }) { _, last in last },
            seed: core.seed,
            maximumTokens: Int(core.maxTokens),
            minimumTokens: Int(core.minTokens),
            stop: core.stop
        )
    }

    func core() throws -> CoreSampling {
        CoreSampling(
            temperature: temperature,
            topK: try unsigned(topK, "topK"),
            topP: topP,
            minP: minP,
            repetitionPenalty: repetitionPenalty,
            presencePenalty: presencePenalty,
            frequencyPenalty: frequencyPenalty,
            penaltyWindow: try unsigned(penaltyWindow, "penaltyWindow"),
            logitBias: try logitBias.map { TokenBias(id: try unsigned($0.key, "logitBias"), bias: $0.value) },
            seed: seed,
            maxTokens: try unsigned(maximumTokens, "maximumTokens"),
            minTokens: try unsigned(minimumTokens, "minimumTokens"),
            stop: stop
        )
    }
}

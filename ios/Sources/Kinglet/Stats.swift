/// Why a generation ended.
public enum StopReason: String, Sendable, Hashable, Codable, CaseIterable {
    /// The model ended the text.
    case endOfText
    /// A stop string came up.
    case stopString
    /// The limit of tokens was reached.
    case maximumTokens
    /// The session's context is full.
    case contextFull
    /// It was cancelled, by closing the engine for instance.
    case cancelled
    /// The form that the answer had to have is complete.
    case constraint
}

/// What a call took. Times are wall-clock, without what the reader does between events.
public struct Stats: Sendable, Hashable, Codable {
    /// Tokens of the prompt, those that the session already held among them.
    public var promptTokens: Int
    /// How many of them the session already held.
    public var cachedTokens: Int
    /// Tokens generated.
    public var tokens: Int
    /// From the start to the first token, in milliseconds; none where none came.
    public var firstTokenMilliseconds: Double?
    /// Prompt tokens fed a second.
    public var promptTokensPerSecond: Double?
    /// Tokens generated a second, after the first.
    public var tokensPerSecond: Double?
    /// The process's largest resident memory so far in bytes, where the system tells.
    public var peakMemory: Int?
    /// `cpu`, `gpu` or `reference`.
    public var device: String
    /// Devices that were given up on the way.
    public var switched: [DeviceSwitch]
    /// Why it ended; none where the model was not run.
    public var stop: StopReason?

    /// Stats, for previews and tests.
    public init(
        promptTokens: Int = 0,
        cachedTokens: Int = 0,
        tokens: Int = 0,
        firstTokenMilliseconds: Double? = nil,
        promptTokensPerSecond: Double? = nil,
        tokensPerSecond: Double? = nil,
        peakMemory: Int? = nil,
        device: String = "cpu",
        switched: [DeviceSwitch] = [],
        stop: StopReason? = nil
    ) {
        self.promptTokens = promptTokens
        self.cachedTokens = cachedTokens
        self.tokens = tokens
        self.firstTokenMilliseconds = firstTokenMilliseconds
        self.promptTokensPerSecond = promptTokensPerSecond
        self.tokensPerSecond = tokensPerSecond
        self.peakMemory = peakMemory
        self.device = device
        self.switched = switched
        self.stop = stop
    }
}

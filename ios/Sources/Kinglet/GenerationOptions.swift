internal import KingletBindings

/// How an answer is generated.
public struct GenerationOptions: Sendable, Hashable, Codable {
    /// The most tokens of the answer; by default what the sampling says.
    public var maximumTokens: Int?
    /// How tokens are chosen.
    public var sampling: Sampling

    /// Options; all may be left out.
    public init(maximumTokens: Int? = nil, sampling: Sampling = .standard) {
        self.maximumTokens = maximumTokens
        self.sampling = sampling
    }

    func core() throws -> CoreSampling {
        var sampling = sampling
        sampling.maximumTokens = maximumTokens ?? sampling.maximumTokens
        return try sampling.core()
    }
}

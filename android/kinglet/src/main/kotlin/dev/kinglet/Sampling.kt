package dev.kinglet

import dev.kinglet.ffi.sampling

/** How tokens are chosen, and when to stop. The defaults suit instruct models of 100 million to 1 billion parameters. */
public data class Sampling @JvmOverloads constructor(
    /** Divides the logits; 0 takes the largest one always. */
    public val temperature: Float = 0.3f,
    /** Keeps the `k` largest; 0 keeps all. */
    public val topK: Int = 40,
    /** Keeps the fewest of the most probable that reach this sum; 1 keeps all. */
    public val topP: Float = 0.95f,
    /** Keeps those with at least this part of the largest probability; 0 keeps all. */
    public val minP: Float = 0.05f,
    /** Divides a positive and multiplies a negative logit of a token that the answer has; 1 does nothing. */
    public val repetitionPenalty: Float = 1f,
    /** Subtracted from the logit of a token that the answer has. */
    public val presencePenalty: Float = 0f,
    /** Subtracted from a token's logit for each time that the answer has it. */
    public val frequencyPenalty: Float = 0f,
    /** How many of the answer's last tokens the penalties look at. */
    public val penaltyWindow: Int = 64,
    /** Added to the logits of tokens, by their ids. */
    public val logitBias: Map<Int, Float> = emptyMap(),
    /** The same seed gives the same choices from the same logits. */
    public val seed: Long = 0,
    /** The most tokens to generate. */
    public val maxTokens: Int = 512,
    /** The fewest tokens to generate before the model may end the text. */
    public val minTokens: Int = 0,
    /** The text ends before the first of these. */
    public val stop: List<String> = emptyList(),
) {
    public companion object {
        /** Always the most probable token. */
        @JvmField
        public val GREEDY: Sampling = Sampling(temperature = 0f, topK = 0, topP = 1f, minP = 0f)

        /** The sampling of a preset, to be changed or used as it is. */
        @JvmStatic
        public fun of(preset: SamplingPreset): Sampling = sampling(preset.core()).own()
    }
}

/** A sampling that has proven itself. */
public enum class SamplingPreset {
    /** For conversations: what `Sampling()` is. */
    STANDARD,

    /** Always the most probable token. */
    GREEDY,

    /** For tasks that stay close to their text. */
    FAITHFUL,

    /** For suggestions that are to differ from each other. */
    VARIED,
}

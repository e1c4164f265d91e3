package dev.kinglet

/** Why a generation ended. */
public enum class StopReason {
    /** The model ended the text. */
    END_OF_TEXT,

    /** A stop string came up. */
    STOP_STRING,

    /** The limit of tokens was reached. */
    MAX_TOKENS,

    /** The session's context is full. */
    CONTEXT_FULL,

    /** It was cancelled, by closing the engine for instance. */
    CANCELLED,

    /** The form that the answer had to have is complete. */
    CONSTRAINT,
}

/** What a call took. Times are wall-clock, without what the reader does between events. */
public data class Stats(
    /** Tokens of the prompt, those that the session already held among them. */
    public val promptTokens: Int,
    /** How many of them the session already held. */
    public val cachedTokens: Int,
    /** Tokens generated. */
    public val tokens: Int,
    /** From the start to the first token; none where none came. */
    public val firstTokenMillis: Double?,
    /** Prompt tokens fed a second. */
    public val promptTokensPerSecond: Double?,
    /** Tokens generated a second, after the first. */
    public val tokensPerSecond: Double?,
    /** `cpu` or `gpu`. */
    public val device: String,
    /** Why it ended; none where the model was not run. */
    public val stop: StopReason?,
)

package dev.kinglet

/** Who says something. */
public enum class Role {
    /** What the app says about all of it. */
    SYSTEM,

    /** The person. */
    USER,

    /** The model. */
    ASSISTANT,
}

/** One message of a conversation. */
public data class Message(
    /** Who says it. */
    public val role: Role,
    /** What. No text in it can become a control token. */
    public val content: String,
)

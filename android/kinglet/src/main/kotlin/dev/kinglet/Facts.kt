package dev.kinglet

/** A model file. */
public data class ModelInfo(
    /** The file's own name for the model, if it has one. */
    public val name: String?,
    /** Its family, such as `llama`. */
    public val architecture: String,
    /** Numbers in all tensors. */
    public val parameters: Long,
    /** Bytes of the file. */
    public val fileBytes: Long,
    /** Tokens in the vocabulary. */
    public val vocab: Int,
    /** Positions that the model was trained for. */
    public val trainedContext: Int,
    /** Whether there is a chat template. Without one the model may never have been tuned to converse. */
    public val hasChatTemplate: Boolean,
)

/** Bytes that a model takes. */
public data class MemoryPlan(
    /** Weights as the device holds them. */
    public val weights: Long,
    /** Keys and values of one session at full context. */
    public val kv: Long,
    /** Intermediate values. */
    public val scratch: Long,
    /** All of it. */
    public val total: Long,
)

/** What runs a model. */
public data class DeviceInfo(
    /** `cpu` or `gpu`. */
    public val kind: String,
    /** Instruction set or adapter, threads, precision: for people. */
    public val detail: String,
    /** Why the model was opened on its first device. */
    public val reason: String,
)

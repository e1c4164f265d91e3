package dev.kinglet

/** Where a model runs. */
public enum class Device {
    /** The fastest that can be trusted. */
    AUTO,

    /** Kernels on the CPU. */
    CPU,

    /** Kernels on a GPU, whatever it is; an error where there is none. */
    GPU,
}

/** How a model is opened. What is left out is as the core thinks best. */
public data class KingletOptions @JvmOverloads constructor(
    /** Where it runs. */
    public val device: Device = Device.AUTO,
    /** CPU threads; by default one a processor, at most 4. */
    public val threads: Int? = null,
    /** Positions of a session, prompt and answer together; by default the model's, at most 4096. */
    public val context: Int? = null,
    /** A chat template (Jinja) instead of the file's. */
    public val chatTemplate: String? = null,
    /** What a phone asks of an app that computes. */
    public val manners: Manners = Manners(),
)

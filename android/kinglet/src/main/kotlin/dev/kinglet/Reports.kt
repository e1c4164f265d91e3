package dev.kinglet

/** How fast an engine is, in tokens a second. */
public data class Benchmark(
    /** Reading a prompt; the median. */
    public val promptTokensPerSecond: Double,
    /** Writing; the median. */
    public val tokensPerSecond: Double,
    /** Reading, each run. */
    public val promptSamples: List<Double>,
    /** Writing, each run. */
    public val samples: List<Double>,
    /** `cpu` or `gpu`. */
    public val device: String,
)

/** A GPU, as its driver describes it. */
public data class GpuInfo(
    /** What its driver calls it. */
    public val name: String,
    /** Driver and version. */
    public val driver: String,
    /** `vulkan`. */
    public val backend: String,
    /** `discrete`, `integrated`, `virtual`, `software` or `other`. */
    public val kind: String,
    /** What kernels lean on there, 0 to 2. */
    public val tier: Int,
    /** What it offers of what Kinglet can use. */
    public val features: List<String>,
    /** Whether it can be used. */
    public val usable: Boolean,
    /** Whether [Device.AUTO] would try it. */
    public val auto: Boolean,
    /** Why it cannot be used, or why [Device.AUTO] leaves it. */
    public val reason: String?,
)

/** What a GPU is good for with a model. */
public enum class Fitness {
    /** Everything is right as it is. */
    GOOD,

    /** Everything is right since some kernels were replaced. */
    REPLACED,

    /** The model must run on the CPU. */
    CPU,
}

/** What a GPU came to when it was asked for every kernel of a model. */
public data class Qualification(
    /** What it is good for. */
    public val fitness: Fitness,
    /** What was replaced, in order. */
    public val replaced: List<Replacement>,
    /** Whether this was known from an earlier time, and nothing ran. */
    public val cached: Boolean,
    /** The GPU. */
    public val adapter: String,
    /** Its driver and version. */
    public val driver: String,
    /** Nodes and tokens that it computed now. */
    public val runs: Long,
    /** How long that took. */
    public val millis: Double,
    /** All of it, to be sent. */
    public val json: String,
)

/** A kernel that was given up. */
public data class Replacement(
    /** The node that was wrong. */
    public val node: String,
    /** The kernel, or `gpu`. */
    public val from: String,
    /** What stands in for it. */
    public val to: String,
    /** What was wrong. */
    public val why: String,
)

/** How much of a comparison an app can afford. */
public data class Diagnosis @JvmOverloads constructor(
    /** Tokens that both devices continue the prompt with; by default 8. */
    public val tokens: Int? = null,
    /** No node begins after so many seconds; by default 60. */
    public val seconds: Int? = null,
    /** Goes on after the first node that is wrong. */
    public val all: Boolean = false,
    /** Lets the report hold the first wrong node's inputs, which tell the prompt's text. */
    public val withInputs: Boolean = false,
    /** A fault to be put in, as in `zeros@blk.3.ffn_down`, to see the tool find it; debug builds of the library alone. */
    public val fault: String? = null,
)

/** What a comparison comes to. */
public enum class Verdict {
    /** Nothing but rounding. */
    SAME,

    /** No node is wrong, but the devices part. */
    DRIFT,

    /** A node is wrong. */
    BROKEN,
}

/** Where a GPU parts from the CPU. It holds numbers and names, and no text but what was asked for. */
public data class Divergence(
    /** What it comes to. */
    public val verdict: Verdict,
    /** The first node that is wrong. */
    public val firstBad: String?,
    /** What kind of wrong it is: `overflow`, `zeros`, `tile`, ... */
    public val kindOfFault: String?,
    /** The kernels that compute it. */
    public val kernel: String?,
    /** Nodes that were compared. */
    public val nodes: Int,
    /** Whether all was compared, before time was up. */
    public val whole: Boolean,
    /** All of it, to be sent. */
    public val json: String,
    /** The same for people: one HTML file, which loads nothing. */
    public val html: String,
)

/** How much is logged, under the tag `Kinglet`. */
public enum class LogLevel {
    /** Nothing. */
    OFF,

    /** What failed. */
    ERROR,

    /** What is doubtful as well. */
    WARN,

    /** Choices, such as that of a device, as well. */
    INFO,

    /** What a developer of Kinglet looks at. */
    DEBUG,

    /** Everything. */
    TRACE,
}

package dev.kinglet.sample.diagnose

import dev.kinglet.Benchmark
import dev.kinglet.Divergence
import dev.kinglet.Fitness
import dev.kinglet.Qualification
import dev.kinglet.Verdict
import java.io.Serializable

/** What examinations came to, as far as it is shown: small enough that the system keeps it when the process ends. */
data class Findings(
    val trust: Trust? = null,
    /** Of a device at rest. */
    val cold: Speed? = null,
    /** After minutes of work. */
    val warm: Speed? = null,
    /** The report itself is a file: see [ReportFiles]. */
    val report: Parting? = null,
) : Serializable

/** What a graphics processor is good for. */
data class Trust(val fitness: Fitness, val replaced: List<Swap>) : Serializable {
    constructor(found: Qualification) : this(found.fitness, found.replaced.map { Swap(it.node, it.from, it.to, it.why) })
}

/** A kernel that was given up, and what stands in for it. */
data class Swap(val node: String, val from: String, val to: String, val why: String) : Serializable

/** Tokens a second. */
data class Speed(val reading: Double, val writing: Double) : Serializable {
    constructor(found: Benchmark) : this(found.promptTokensPerSecond, found.tokensPerSecond)
}

/** Where the graphics processor leaves the CPU's path, if it does. */
data class Parting(val verdict: Verdict, val nodes: Int, val firstBad: String?, val kindOfFault: String?) : Serializable {
    constructor(found: Divergence) : this(found.verdict, found.nodes, found.firstBad, found.kindOfFault)
}

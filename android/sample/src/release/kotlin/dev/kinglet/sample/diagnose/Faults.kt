package dev.kinglet.sample.diagnose

/** None: what people install tells of real faults only. */
val faults: List<String> = emptyList()

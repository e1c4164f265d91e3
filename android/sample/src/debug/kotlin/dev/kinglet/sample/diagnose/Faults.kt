package dev.kinglet.sample.diagnose

/** Ways to spoil a graphics processor's values, which show the report at work on a device that has no fault of its own. */
val faults: List<String> = listOf("zeros@blk.0.ffn_down", "tile@blk.0.ffn_up", "from-index@output")

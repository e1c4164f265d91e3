package dev.kinglet.sample.text

/** What came out of a task, as lines: a text is one, suggestions are three, labels and fields have names. */
data class Outcome(val task: TextTask, val lines: List<Line>) {
    data class Line(val name: String, val value: String?)

    /** To copy, share or put back. */
    val text: String
        get() = lines.joinToString("\n") { line -> if (line.name.isEmpty()) line.value.orEmpty() else "${line.name}: ${line.value ?: "–"}" }

    /** For a saved state. */
    fun flat(): ArrayList<String?> = ArrayList<String?>().apply {
        add(task.name)
        lines.forEach { line ->
            add(line.name)
            add(line.value)
        }
    }

    companion object {
        fun of(task: TextTask, texts: List<String>) = Outcome(task, texts.map { Line("", it) })

        fun of(task: TextTask, fields: Map<String, String?>) = Outcome(task, fields.map { Line(it.key, it.value) })

        fun unflat(saved: List<String?>): Outcome? {
            val task = TextTask.entries.firstOrNull { it.name == saved.firstOrNull() } ?: return null
            return Outcome(task, saved.drop(1).chunked(2) { (name, value) -> Line(name.orEmpty(), value) })
        }
    }
}

// Stands in for what the SDK gets; goes with it.
package dev.kinglet

import android.content.Context
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.map

typealias NotificationText = Notification

data class Fit(val plan: MemoryPlan, val available: Long, val reason: String?) {
    val fits: Boolean get() = reason == null
}
data class Benchmark(
    val promptTokensPerSecond: Double, val tokensPerSecond: Double, val promptSamples: List<Double>, val samples: List<Double>, val device: String,
)
data class GpuInfo(
    val name: String, val driver: String, val backend: String, val kind: String, val tier: Int, val features: List<String>,
    val usable: Boolean, val auto: Boolean, val reason: String?,
)
data class Qualification(
    val fitness: Fitness, val replaced: List<Replacement>, val cached: Boolean, val adapter: String, val driver: String,
    val runs: Long, val millis: Double, val json: String,
)
enum class Fitness { GOOD, REPLACED, CPU }
data class Replacement(val node: String, val from: String, val to: String, val why: String)
data class Diagnosis(val tokens: Int? = null, val seconds: Int? = null, val all: Boolean = false, val fault: String? = null)
data class Divergence(
    val verdict: Verdict, val firstBad: String?, val kindOfFault: String?, val kernel: String?, val nodes: Int, val whole: Boolean,
    val json: String, val html: String,
)
enum class Verdict { SAME, DRIFT, BROKEN }

@Suppress("UNUSED_PARAMETER")
suspend fun Kinglet.benchmark(prefill: Int = 128, decode: Int = 32, repeat: Int = 3): Benchmark = error("soon")

@Suppress("UNUSED_PARAMETER", "UnusedReceiverParameter")
suspend fun Kinglet.Companion.inspect(model: ModelFile): ModelInfo = error("soon")

@Suppress("UNUSED_PARAMETER", "UnusedReceiverParameter")
suspend fun Kinglet.Companion.fit(context: Context, model: ModelFile, options: KingletOptions = KingletOptions()): Fit = error("soon")

@Suppress("UnusedReceiverParameter")
suspend fun Kinglet.Companion.gpus(): List<GpuInfo> = error("soon")

@Suppress("UNUSED_PARAMETER", "UnusedReceiverParameter")
suspend fun Kinglet.Companion.qualify(
    context: Context, model: ModelFile, options: KingletOptions = KingletOptions(), progress: (Float) -> Unit = {},
): Qualification = error("soon")

@Suppress("UNUSED_PARAMETER", "UnusedReceiverParameter")
suspend fun Kinglet.Companion.diagnose(
    context: Context, model: ModelFile, prompt: String, options: KingletOptions = KingletOptions(), request: Diagnosis = Diagnosis(),
    progress: (Float) -> Unit = {},
): Divergence = error("soon")

@Suppress("UnusedReceiverParameter")
val Kinglet.Companion.version: String get() = "0.1.0"

class Summarizer(private val kinglet: Kinglet) {
    fun digest(notifications: List<NotificationText>): Flow<Event> = kinglet.digest(notifications)

    suspend fun drain(queue: SummaryQueue, tell: suspend (Event) -> Unit = {}): StoredDigest? {
        val waiting = queue.waiting().ifEmpty { return null }
        var end: Event.Done? = null
        digest(waiting).collect { if (it is Event.Done) end = it else tell(it) }
        val done = checkNotNull(end)
        return queue.store(StoredDigest(0, System.currentTimeMillis(), done.text, done.groups, waiting))
    }
}

@Suppress("UNUSED_PARAMETER")
class SummaryQueue(context: Context, name: String = "kinglet-queue") : AutoCloseable {
    private val now = MutableStateFlow(0)
    private val waits = LinkedHashMap<String, NotificationText>()
    private val seen = HashSet<String>()
    private val digests = ArrayList<StoredDigest>()
    val changes: Flow<Unit> = now.map { }

    suspend fun add(key: String, notification: NotificationText): Boolean = synchronized(this) {
        if (!seen.add(key)) return false
        waits[key] = notification
        now.value++
        true
    }

    fun store(digest: StoredDigest): StoredDigest = synchronized(this) {
        val stored = digest.copy(id = digests.size + 1L)
        digests.add(0, stored)
        waits.clear()
        now.value++
        stored
    }

    suspend fun remove(key: String): Unit = synchronized(this) {
        if (waits.remove(key) != null) seen.remove(key)
        now.value++
    }

    suspend fun waiting(): List<NotificationText> = synchronized(this) { waits.values.toList() }
    suspend fun history(limit: Int = 50): List<StoredDigest> = synchronized(this) { digests.take(limit) }
    suspend fun delete(id: Long): Unit = synchronized(this) {
        digests.removeAll { it.id == id }
        now.value++
    }

    suspend fun clear(): Unit = synchronized(this) {
        waits.clear()
        seen.clear()
        digests.clear()
        now.value++
    }

    override fun close() {}
}
data class StoredDigest(
    val id: Long, val madeAt: Long, val text: String, val groups: List<DigestGroup>, val notifications: List<NotificationText>,
)

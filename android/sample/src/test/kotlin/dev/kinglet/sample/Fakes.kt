package dev.kinglet.sample

import android.database.sqlite.SQLiteFullException
import android.net.Uri
import dev.kinglet.Benchmark
import dev.kinglet.DeviceInfo
import dev.kinglet.DigestGroup
import dev.kinglet.Divergence
import dev.kinglet.Event
import dev.kinglet.Fit
import dev.kinglet.Fitness
import dev.kinglet.GpuInfo
import dev.kinglet.MemoryPlan
import dev.kinglet.ModelInfo
import dev.kinglet.NotificationText
import dev.kinglet.Qualification
import dev.kinglet.Replacement
import dev.kinglet.Stats
import dev.kinglet.StopReason
import dev.kinglet.StoredDigest
import dev.kinglet.SummaryStyle
import dev.kinglet.Tone
import dev.kinglet.Verdict
import dev.kinglet.sample.digest.Inbox
import dev.kinglet.sample.engine.Assistant
import dev.kinglet.sample.engine.Doctor
import dev.kinglet.sample.models.ImportStep
import dev.kinglet.sample.models.Models
import dev.kinglet.sample.models.StoredModel
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.flow.map
import java.io.File

/** Answers with what a test says, at once or piece by piece. */
class FakeAssistant(private val inbox: FakeInbox) : Assistant {
    /** The pieces of the next streams. While it is null they come at once and end. */
    var pieces: Channel<String>? = null
    var text = Believable.SUMMARY
    var failure: Exception? = null

    /** Streams that were left before their end. */
    var left = 0
        private set

    override fun summarize(text: String, style: SummaryStyle) = stream()

    override fun rewrite(text: String, tone: Tone) = stream()

    override suspend fun reply(message: String) = answer {
        listOf("Sounds good, see you at seven!", "Sorry, I can't make it.", "Could we do eight?")
    }

    override suspend fun classify(text: String, labels: List<String>) =
        answer { labels.mapIndexed { at, label -> label to if (at == 0) 0.82 else 0.18 / (labels.size - 1) }.toMap() }

    override suspend fun extract(text: String, fields: List<String>) =
        answer { fields.mapIndexed { at, field -> field to if (at == 1) null else "Value ${at + 1}" }.toMap() }

    override fun digest(): Flow<Event> = flow {
        if (inbox.content.value.waiting.isEmpty()) return@flow
        stream().collect { event ->
            if (event is Event.Done) inbox.digest(event.text) else emit(event)
        }
    }

    override suspend fun drain(tell: suspend (Event) -> Unit): StoredDigest? =
        answer { if (inbox.content.value.waiting.isEmpty()) null else inbox.digest(Believable.DIGEST) }

    private fun <T> answer(value: () -> T): T {
        failure?.let { throw it }
        return value()
    }

    private fun stream(): Flow<Event> = flow {
        failure?.let { throw it }
        var whole = ""
        val given = pieces
        var ended = false
        try {
            if (given == null) {
                emit(Event.Text(text))
                whole = text
            } else {
                for (piece in given) {
                    whole += piece
                    emit(Event.Text(piece))
                }
            }
            emit(Event.Done(whole, emptyList(), Believable.stats))
            ended = true
        } finally {
            if (!ended) left++
        }
    }
}

/** An inbox in memory. */
class FakeInbox : Inbox {
    val content = MutableStateFlow(Inbox.Contents(emptyList(), emptyList()))
    private val keys = LinkedHashMap<String, NotificationText>()

    override val contents: Flow<Inbox.Contents> = content.map { it }

    /** A text that takes its time on the way to the disk. */
    var slow: String? = null

    /** A text that the disk has no place for. */
    var tooMuch: String? = null

    override suspend fun add(key: String, notification: NotificationText): Boolean {
        if (notification.text == tooMuch) throw SQLiteFullException("disk is full")
        if (notification.text == slow) delay(100)
        if (keys.putIfAbsent(key, notification) != null) return false
        content.value = content.value.copy(waiting = content.value.waiting + notification)
        return true
    }

    override suspend fun remove(key: String) {
        val gone = keys.remove(key) ?: return
        content.value = content.value.copy(waiting = content.value.waiting - gone)
    }

    override suspend fun history() = content.value.history

    override suspend fun delete(id: Long) {
        content.value = content.value.copy(history = content.value.history.filter { it.id != id })
    }

    override suspend fun clear() {
        keys.clear()
        content.value = Inbox.Contents(emptyList(), emptyList())
    }

    fun digest(text: String): StoredDigest {
        val old = content.value
        val groups = old.waiting.groupBy { it.app }.map { (app, all) -> DigestGroup(app, all.size, all.first().text) }
        val made = StoredDigest(old.history.size + 1L, Believable.NOON, text, groups, old.waiting)
        content.value = Inbox.Contents(emptyList(), listOf(made) + old.history)
        return made
    }
}

/** A device as a good phone is. */
class FakeDoctor : Doctor {
    var failure: Exception? = null
    var benchmarks = 0
        private set

    /** While it is there, examinations do not end. */
    var hold: CompletableDeferred<Unit>? = null

    /** Called at each measurement. */
    var worked: () -> Unit = {}
    var faultAsked: String? = null
        private set

    override val version = "0.1.0"

    override suspend fun device() = DeviceInfo("gpu", "Mali-G715, f16, 4 threads beside it", "it passed its exam")

    override suspend fun gpus() = listOf(
        GpuInfo("Mali-G715", "v1.r38p1", "Vulkan", "integrated", 2, listOf("f16", "subgroups"), usable = true, auto = true, reason = null),
    )

    override suspend fun benchmark(): Benchmark {
        wait()
        benchmarks++
        worked()
        val speed = 38.0 - minOf(benchmarks, 6)
        return Benchmark(speed * 9, speed, listOf(speed * 9), listOf(speed), "gpu")
    }

    override suspend fun qualify(progress: (Float) -> Unit): Qualification {
        progress(0.5f)
        wait()
        val replaced = Replacement("blk.3.ffn_down", "tile", "vector", "zeros")
        return Qualification(Fitness.REPLACED, listOf(replaced), false, "Mali-G715", "v1.r38p1", 412, 5300.0, "{}")
    }

    override suspend fun diagnose(fault: String?, progress: (Float) -> Unit): Divergence {
        progress(0.25f)
        wait()
        faultAsked = fault
        val broken = fault != null
        return Divergence(
            if (broken) Verdict.BROKEN else Verdict.SAME,
            "blk.0.ffn_down".takeIf { broken },
            "zeros".takeIf { broken },
            "tile".takeIf { broken },
            412,
            !broken,
            "{}",
            "<html><body>$fault</body></html>",
        )
    }

    private suspend fun wait() {
        failure?.let { throw it }
        hold?.await()
    }
}

/** Models that are only told of. */
class FakeModels(models: List<StoredModel> = Believable.models, chosen: StoredModel? = models.firstOrNull()) : Models {
    override val all = MutableStateFlow(models)
    override val chosen: MutableStateFlow<StoredModel?> = MutableStateFlow(chosen)

    override fun import(document: Uri): Flow<ImportStep> = flow {
        emit(ImportStep.Copied(61_000_000, 92_000_000))
        awaitCancellation()
    }

    override fun choose(model: StoredModel) {
        chosen.value = model
    }

    override suspend fun delete(model: StoredModel) {
        all.value -= model
    }

    override suspend fun inspect(model: StoredModel): ModelInfo {
        val large = model.bytes > 1_000_000_000
        return ModelInfo(
            model.name,
            if (large) "qwen3" else "llama",
            if (large) 1_720_000_000 else 134_515_008,
            model.bytes,
            49152,
            8192,
            true,
        )
    }

    override suspend fun fit(model: StoredModel): Fit {
        val kv = 94_000_000L
        val scratch = 31_000_000L
        val plan = MemoryPlan(model.bytes, kv, scratch, model.bytes + kv + scratch)
        val fits = plan.total < Believable.FREE
        val reason = "The model needs 1.2 GB and 0.9 GB are free. Close other apps, or choose a smaller model or a shorter context."
        return Fit(plan, Believable.FREE, reason.takeIf { !fits })
    }
}

/** What pictures show: made up, and always the same. */
object Believable {
    /** 14 May 2026, 12:00 UTC. */
    const val NOON = 1_778_760_000_000L
    const val FREE = 900_000_000L
    const val SUMMARY = "The ferry now leaves at seven, so Mia asks to meet at the pier half an hour earlier and to bring the blue bag."
    const val DIGEST = "Mia wants to meet at the pier at half past six. Your parcel comes tomorrow before noon. " +
        "The library book is due on Friday."
    const val TEXT = "Hi! The ferry timetable has changed, it leaves at seven now and not at half past. " +
        "Could we meet at the pier at half past six? And please bring the blue bag, I left it in your hall on Sunday. See you, Mia"

    val stats = Stats(212, 0, 34, 410.0, 340.0, 36.4, "gpu", StopReason.END_OF_TEXT)

    val notifications = listOf(
        NotificationText("Messages", "Mia", "The ferry leaves at seven now. Can we meet at half past six?", "2026-05-14T09:12:00"),
        NotificationText("Post", "Parcel 204", "Your parcel will be delivered tomorrow between 9 and 12.", "2026-05-14T09:40:00"),
        NotificationText("Library", "", "\"The Wall\" is due on Friday. You can renew it twice.", "2026-05-14T10:05:00"),
        NotificationText("Messages", "Mia", "And please bring the blue bag!", "2026-05-14T10:20:00"),
        NotificationText("Calendar", "Dentist", "Tomorrow, 14:30", "2026-05-14T11:00:00"),
    )

    val apps = mapOf(
        "org.example.chat" to "Messages",
        "org.example.post" to "Post",
        "org.example.library" to "Library",
        "org.example.shop" to "Shop",
    )

    val models = listOf(
        model("smollm2-135m-instruct-q4_1.gguf", 91_700_000, "3f1c"),
        model("qwen3-1.7b-q4_k_m.gguf", 1_107_400_000, "a7d2"),
    )

    private fun model(name: String, bytes: Long, hash: String) = StoredModel(File("/models/$name"), bytes, hash.repeat(16))
}

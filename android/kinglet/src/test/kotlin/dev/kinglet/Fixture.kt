package dev.kinglet

import android.content.Context
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import org.junit.Assert.assertTrue
import org.robolectric.RuntimeEnvironment
import java.io.File
import kotlin.time.Duration
import kotlin.time.Duration.Companion.minutes

/** What the tests share: small random models, and SmolLM2 where the build says where models are. */
object Fixture {
    val context: Context get() = RuntimeEnvironment.getApplication()

    @JvmField
    val cpu = KingletOptions(device = Device.CPU, threads = 1)

    @JvmStatic
    fun data(name: String) = File(checkNotNull(System.getProperty("kinglet.data")), name)

    @JvmStatic
    fun tiny() = ModelFile(data("tiny/tiny-llama-q4_0.gguf"))

    /** The real model; the build leaves tests of it out where it is not there. */
    fun smollm2() = ModelFile(File(checkNotNull(System.getProperty("kinglet.models")), "smollm2-135m-instruct-q4_1.gguf"))

    /** Exactly so many tokens, always the same. */
    @JvmStatic
    fun tokens(count: Int) = Sampling.GREEDY.copy(minTokens = count, maxTokens = count)

    /** A test that ends within a minute, unless it is a long one. */
    fun test(limit: Duration = 1.minutes, body: suspend CoroutineScope.() -> Unit) = runBlocking { withTimeout(limit) { body() } }

    /** A test with a model, which is closed after it. */
    fun testWith(
        model: ModelFile = tiny(),
        options: KingletOptions = cpu,
        limit: Duration = 1.minutes,
        body: suspend CoroutineScope.(Kinglet) -> Unit,
    ) = test(limit) { Kinglet.open(context, model, options).use { body(it) } }

    /** No half of a surrogate pair, and nothing that was no UTF-8. */
    fun assertWhole(text: String) {
        assertTrue("half a character in $text", Charsets.UTF_8.newEncoder().canEncode(text))
    }
}

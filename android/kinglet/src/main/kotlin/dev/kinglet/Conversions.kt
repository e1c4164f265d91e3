package dev.kinglet

import android.content.Context
import dev.kinglet.ffi.DeviceChoice
import dev.kinglet.ffi.DiagnoseOptions
import dev.kinglet.ffi.DivergenceVerdict
import dev.kinglet.ffi.EngineOptions
import dev.kinglet.ffi.GpuOptions
import dev.kinglet.ffi.StreamEvent
import java.io.File
import dev.kinglet.ffi.Benchmark as CoreBenchmark
import dev.kinglet.ffi.Classification as CoreClassification
import dev.kinglet.ffi.DeviceInfo as CoreDeviceInfo
import dev.kinglet.ffi.Divergence as CoreDivergence
import dev.kinglet.ffi.Extraction as CoreExtraction
import dev.kinglet.ffi.Fitness as CoreFitness
import dev.kinglet.ffi.GpuInfo as CoreGpuInfo
import dev.kinglet.ffi.LogLevel as CoreLogLevel
import dev.kinglet.ffi.MemoryPlan as CoreMemoryPlan
import dev.kinglet.ffi.Message as CoreMessage
import dev.kinglet.ffi.ModelInfo as CoreModelInfo
import dev.kinglet.ffi.Notification as CoreNotification
import dev.kinglet.ffi.Preset as CorePreset
import dev.kinglet.ffi.Qualification as CoreQualification
import dev.kinglet.ffi.Role as CoreRole
import dev.kinglet.ffi.Sampling as CoreSampling
import dev.kinglet.ffi.Stats as CoreStats
import dev.kinglet.ffi.StopReason as CoreStopReason
import dev.kinglet.ffi.Suggestions as CoreSuggestions
import dev.kinglet.ffi.SummaryLength as CoreSummaryLength
import dev.kinglet.ffi.SummaryStyle as CoreSummaryStyle
import dev.kinglet.ffi.TokenBias as CoreTokenBias
import dev.kinglet.ffi.Tone as CoreTone

// The core's types have unsigned numbers, which Java lacks, and change with it. These are the only lines that know both.

/** A number that the core wants unsigned. */
internal fun Int.unsigned(name: String): UInt {
    require(this >= 0) { "$name: is $this; give 0 or more" }
    return toUInt()
}

internal fun KingletOptions.core(app: Context, fault: String? = null): EngineOptions = EngineOptions(
    device = when (device) {
        Device.AUTO -> DeviceChoice.AUTO
        Device.CPU -> DeviceChoice.CPU
        Device.GPU -> DeviceChoice.GPU
    },
    threads = threads?.unsigned("threads"),
    context = context?.unsigned("context"),
    chatTemplate = chatTemplate,
    // Compiled kernels, and what the GPU was found to be good for.
    gpu = GpuOptions(cacheFolder = File(app.cacheDir, "kinglet").apply { mkdirs() }.path, inject = fault),
)

internal fun Sampling.core(): CoreSampling = CoreSampling(
    temperature = temperature,
    topK = topK.unsigned("topK"),
    topP = topP,
    minP = minP,
    repetitionPenalty = repetitionPenalty,
    presencePenalty = presencePenalty,
    frequencyPenalty = frequencyPenalty,
    penaltyWindow = penaltyWindow.unsigned("penaltyWindow"),
    logitBias = logitBias.map { (id, bias) -> CoreTokenBias(id.unsigned("logitBias"), bias) },
    seed = seed.toULong(),
    maxTokens = maxTokens.unsigned("maxTokens"),
    minTokens = minTokens.unsigned("minTokens"),
    stop = stop,
)

/** A core's number that Kotlin's `Int` may not hold: the most is as good as more. */
private fun UInt.atMost(): Int = coerceAtMost(Int.MAX_VALUE.toUInt()).toInt()

internal fun CoreSampling.own(): Sampling = Sampling(
    temperature = temperature,
    topK = topK.atMost(),
    topP = topP,
    minP = minP,
    repetitionPenalty = repetitionPenalty,
    presencePenalty = presencePenalty,
    frequencyPenalty = frequencyPenalty,
    penaltyWindow = penaltyWindow.atMost(),
    logitBias = logitBias.associate { it.id.toInt() to it.bias },
    seed = seed.toLong(),
    maxTokens = maxTokens.atMost(),
    minTokens = minTokens.atMost(),
    stop = stop,
)

internal fun SamplingPreset.core(): CorePreset = when (this) {
    SamplingPreset.STANDARD -> CorePreset.STANDARD
    SamplingPreset.GREEDY -> CorePreset.GREEDY
    SamplingPreset.FAITHFUL -> CorePreset.FAITHFUL
    SamplingPreset.VARIED -> CorePreset.VARIED
}

internal fun Diagnosis.core(): DiagnoseOptions = DiagnoseOptions(
    all = all,
    tokens = tokens?.unsigned("tokens"),
    seconds = seconds?.unsigned("seconds"),
    withInputs = withInputs,
)

internal fun LogLevel.core(): CoreLogLevel = when (this) {
    LogLevel.OFF -> CoreLogLevel.OFF
    LogLevel.ERROR -> CoreLogLevel.ERROR
    LogLevel.WARN -> CoreLogLevel.WARN
    LogLevel.INFO -> CoreLogLevel.INFO
    LogLevel.DEBUG -> CoreLogLevel.DEBUG
    LogLevel.TRACE -> CoreLogLevel.TRACE
}

internal fun Message.core(): CoreMessage = CoreMessage(
    when (role) {
        Role.SYSTEM -> CoreRole.SYSTEM
        Role.USER -> CoreRole.USER
        Role.ASSISTANT -> CoreRole.ASSISTANT
    },
    content,
)

internal fun SummaryStyle.core(): CoreSummaryStyle = when (this) {
    SummaryStyle.SENTENCE -> CoreSummaryStyle.SENTENCE
    SummaryStyle.BULLETS -> CoreSummaryStyle.BULLETS
    SummaryStyle.HEADLINE -> CoreSummaryStyle.HEADLINE
    SummaryStyle.DIGEST -> CoreSummaryStyle.DIGEST
}

internal fun SummaryLength.core(): CoreSummaryLength = when (this) {
    is SummaryLength.Words -> CoreSummaryLength.Words(count.unsigned("length"))
    is SummaryLength.Sentences -> CoreSummaryLength.Sentences(count.unsigned("length"))
}

internal fun Tone.core(): CoreTone = when (this) {
    Tone.Friendly -> CoreTone.Friendly
    Tone.Formal -> CoreTone.Formal
    Tone.Shorter -> CoreTone.Shorter
    Tone.Proofread -> CoreTone.Proofread
    is Tone.Custom -> CoreTone.Custom(words)
}

internal fun NotificationText.core(): CoreNotification = CoreNotification(app, title, text, time)

internal fun StreamEvent.event(): Event = when (this) {
    is StreamEvent.Text -> Event.Text(text)
    is StreamEvent.TakeBack -> Event.TakeBack(characters.toInt())
    is StreamEvent.Switched -> Event.Switched(switched.fromDevice, switched.toDevice, switched.why)
    is StreamEvent.Progress -> Event.Progress(part.toInt(), parts.toInt(), round.toInt())
    is StreamEvent.Done -> Event.Done(
        result.text,
        result.groups.map { DigestGroup(it.app, it.count.toInt(), it.summary) },
        result.stats.own(),
    )
}

internal fun CoreStats.own(): Stats = Stats(
    promptTokens = promptTokens.toInt(),
    cachedTokens = cachedTokens.toInt(),
    tokens = tokens.toInt(),
    firstTokenMillis = ttftMs,
    promptTokensPerSecond = prefillTps,
    tokensPerSecond = decodeTps,
    device = device,
    stop = stop?.own(),
)

private fun CoreStopReason.own(): StopReason = when (this) {
    CoreStopReason.END_OF_TEXT -> StopReason.END_OF_TEXT
    CoreStopReason.STOP_STRING -> StopReason.STOP_STRING
    CoreStopReason.MAX_TOKENS -> StopReason.MAX_TOKENS
    CoreStopReason.CONTEXT_FULL -> StopReason.CONTEXT_FULL
    CoreStopReason.CANCELLED -> StopReason.CANCELLED
    CoreStopReason.CONSTRAINT -> StopReason.CONSTRAINT
}

internal fun CoreClassification.own(): Classification =
    Classification(label, probabilities.associate { it.label to it.probability }, stats.own())

internal fun CoreExtraction.own(): Extraction = Extraction(fields.associate { it.name to it.value }, stats.own())

internal fun CoreSuggestions.own(): Suggestions = Suggestions(suggestions, stats.own())

internal fun CoreModelInfo.own(): ModelInfo = ModelInfo(
    name = name,
    architecture = architecture,
    parameters = parameters.toLong(),
    fileBytes = fileBytes.toLong(),
    vocab = vocab.toInt(),
    trainedContext = trainedContext.toInt(),
    hasChatTemplate = hasChatTemplate,
)

internal fun CoreMemoryPlan.own(): MemoryPlan =
    MemoryPlan(weights.toLong(), kv.toLong(), scratch.toLong(), total.toLong())

internal fun CoreDeviceInfo.own(): DeviceInfo = DeviceInfo(kind, detail, reason)

internal fun CoreBenchmark.own(): Benchmark = Benchmark(prefillTps, decodeTps, prefillSamples, decodeSamples, device)

internal fun CoreGpuInfo.own(): GpuInfo =
    GpuInfo(name, driver, backend, kind, tier.toInt(), features, usable, auto, reason)

internal fun CoreQualification.own(): Qualification = Qualification(
    fitness = when (verdict) {
        CoreFitness.GOOD -> Fitness.GOOD
        CoreFitness.REPLACED -> Fitness.REPLACED
        CoreFitness.CPU -> Fitness.CPU
    },
    replaced = ladder.map { Replacement(it.node, it.fromKernel, it.toKernel, it.why) },
    cached = cached,
    adapter = adapter,
    driver = driver,
    runs = runs.toLong(),
    millis = ms,
    json = json,
)

internal fun CoreDivergence.own(): Divergence = Divergence(
    verdict = when (verdict) {
        DivergenceVerdict.SAME -> Verdict.SAME
        DivergenceVerdict.DRIFT -> Verdict.DRIFT
        DivergenceVerdict.BROKEN -> Verdict.BROKEN
    },
    firstBad = firstBad,
    kindOfFault = classOfFault,
    kernel = kernel,
    nodes = nodes.toInt(),
    whole = whole,
    json = json,
    html = html,
)

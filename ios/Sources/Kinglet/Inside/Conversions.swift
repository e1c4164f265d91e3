import Foundation
internal import KingletBindings

// The core's types change with the core. These are the only lines that know both, but for errors and sampling.

extension Configuration {
    func core() throws -> EngineOptions {
        EngineOptions(
            device: device.core,
            threads: try unsigned(threads, "threads"),
            context: try unsigned(context, "context"),
            prefillChunk: try unsigned(prefillChunk, "prefillChunk"),
            activations: activations?.core,
            kv: keyValueType?.core,
            schedule: schedule?.core,
            chatTemplate: chatTemplate,
            gpu: try gpu.core()
        )
    }
}

extension GPUOptions {
    func core() throws -> KingletBindings.GpuOptions {
        KingletBindings.GpuOptions(
            adapter: adapter,
            tier: try tier.map(Self.tier),
            deny: deny,
            qualify: qualify?.core,
            cacheFolder: Self.folder(cacheFolder),
            loseAfter: try unsigned(loseAfter, "loseAfter"),
            inject: inject
        )
    }

    private static func tier(_ number: Int) throws -> UInt8 {
        guard let tier = UInt8(exactly: number) else {
            throw KingletError.option("option tier: is \(number); give 0, 1 or 2")
        }
        return tier
    }

    /// The folder, once it is there. Without one everything works, but more slowly.
    private static func folder(_ wanted: URL?) -> String? {
        let files = FileManager.default
        let usual = files.urls(for: .cachesDirectory, in: .userDomainMask).first?.appendingPathComponent("kinglet")
        guard let folder = wanted ?? usual else { return nil }
        try? files.createDirectory(at: folder, withIntermediateDirectories: true)
        return files.isWritableFile(atPath: folder.path) ? folder.path : nil
    }
}

extension Device {
    var core: DeviceChoice {
        switch self {
        case .automatic: .auto
        case .cpu: .cpu
        case .gpu: .gpu
        case .reference: .reference
        }
    }
}

extension Activations {
    var core: KingletBindings.Activations {
        switch self {
        case .int16: .int16
        case .int8: .int8
        case .float32: .f32
        }
    }
}

extension KeyValueType {
    var core: KvType {
        switch self {
        case .float16: .f16
        case .float32: .f32
        }
    }
}

extension Schedule {
    var core: KingletBindings.Schedule {
        switch self {
        case .fused: .fused
        case .plain: .plain
        }
    }
}

extension Qualify {
    var core: KingletBindings.Qualify {
        switch self {
        case .once: .once
        case .again: .again
        case .never: .never
        }
    }
}

extension Message {
    var core: KingletBindings.Message {
        let role: KingletBindings.Role =
            switch role {
            case .system: .system
            case .user: .user
            case .assistant: .assistant
            }
        return KingletBindings.Message(role: role, content: content)
    }
}

extension SummaryStyle {
    var core: KingletBindings.SummaryStyle {
        switch self {
        case .sentence: .sentence
        case .bullets: .bullets
        case .headline: .headline
        case .digest: .digest
        }
    }
}

extension SummaryLength {
    func core() throws -> KingletBindings.SummaryLength {
        switch self {
        case .words(let count): .words(count: try unsigned(count, "length"))
        case .sentences(let count): .sentences(count: try unsigned(count, "length"))
        }
    }
}

extension Tone {
    var core: KingletBindings.Tone {
        switch self {
        case .friendly: .friendly
        case .formal: .formal
        case .shorter: .shorter
        case .proofread: .proofread
        case .custom(let words): .custom(words: words)
        }
    }
}

extension NotificationText {
    var core: KingletBindings.Notification {
        KingletBindings.Notification(app: app, title: title, text: text, time: time)
    }
}

extension DiagnosisOptions {
    func core() throws -> DiagnoseOptions {
        DiagnoseOptions(
            mode: mode.map { $0 == .isolated ? .isolated : .drift },
            all: all,
            promptTokens: try unsigned(promptTokens, "promptTokens"),
            tokens: try unsigned(tokens, "tokens"),
            repeats: try unsigned(repeats, "repeats"),
            seconds: try unsigned(seconds, "seconds"),
            withIds: withTokenIDs,
            withInputs: withInputs
        )
    }
}

extension LogLevel {
    var core: KingletBindings.LogLevel {
        switch self {
        case .off: .off
        case .error: .error
        case .warning: .warn
        case .info: .info
        case .debug: .debug
        case .trace: .trace
        }
    }
}

extension Event {
    init(_ core: CoreEvent) {
        self =
            switch core {
            case .text(let text): .text(text)
            case .takeBack(let characters): .takeBack(characters: Int(characters))
            case .switched(let switched): .switched(DeviceSwitch(switched))
            case .progress(let part, let parts, let round):
                .progress(part: Int(part), parts: Int(parts), round: Int(round))
            case .done(let result): .done(Outcome(result))
            }
    }
}

extension Outcome {
    init(_ core: StreamResult) {
        let groups = core.groups.map { DigestGroup(app: $0.app, count: Int($0.count), summary: $0.summary) }
        self.init(text: core.text, parts: Int(core.parts), groups: groups, stats: Stats(core.stats))
    }
}

extension DeviceSwitch {
    init(_ core: Switched) {
        self.init(token: Int(core.atToken), from: core.fromDevice, to: core.toDevice, why: core.why)
    }
}

extension Stats {
    init(_ core: KingletBindings.Stats) {
        self.init(
            promptTokens: Int(core.promptTokens),
            cachedTokens: Int(core.cachedTokens),
            tokens: Int(core.tokens),
            firstTokenMilliseconds: core.ttftMs,
            promptTokensPerSecond: core.prefillTps,
            tokensPerSecond: core.decodeTps,
            peakMemory: core.peakRssBytes.map { Int(clamping: $0) },
            device: core.device,
            switched: core.switched.map(DeviceSwitch.init),
            stop: core.stop.map(StopReason.init)
        )
    }
}

extension StopReason {
    init(_ core: KingletBindings.StopReason) {
        self =
            switch core {
            case .endOfText: .endOfText
            case .stopString: .stopString
            case .maxTokens: .maximumTokens
            case .contextFull: .contextFull
            case .cancelled: .cancelled
            case .constraint: .constraint
            }
    }
}

extension Classification {
    init(_ core: KingletBindings.Classification) {
        let probabilities = core.probabilities.map { LabelProbability(label: $0.label, probability: $0.probability) }
        self.init(label: core.label, probabilities: probabilities, stats: Stats(core.stats))
    }
}

extension Extraction {
    init(_ core: KingletBindings.Extraction) {
        let fields = core.fields.map { ExtractedField(name: $0.name, value: $0.value) }
        self.init(fields: fields, parts: Int(core.parts), stats: Stats(core.stats))
    }
}

extension Suggestions {
    init(_ core: KingletBindings.Suggestions) {
        self.init(suggestions: core.suggestions, stats: Stats(core.stats))
    }
}

extension ModelInfo {
    init(_ core: KingletBindings.ModelInfo) {
        self.init(
            name: core.name,
            architecture: core.architecture,
            parameters: Int(clamping: core.parameters),
            fileBytes: Int(clamping: core.fileBytes),
            layers: Int(core.layers),
            width: Int(core.width),
            vocabulary: Int(core.vocab),
            trainedContext: Int(core.trainedContext),
            hasChatTemplate: core.hasChatTemplate
        )
    }
}

extension MemoryPlan {
    init(_ core: KingletBindings.MemoryPlan) {
        self.init(
            weights: Int(clamping: core.weights),
            keyValue: Int(clamping: core.kv),
            scratch: Int(clamping: core.scratch),
            total: Int(clamping: core.total)
        )
    }
}

extension DeviceInfo {
    init(_ core: KingletBindings.DeviceInfo) {
        self.init(kind: core.kind, detail: core.detail, reason: core.reason)
    }
}

extension GPUInfo {
    init(_ core: KingletBindings.GpuInfo) {
        self.init(
            name: core.name,
            driver: core.driver,
            backend: core.backend,
            kind: core.kind,
            tier: Int(core.tier),
            features: core.features,
            maximumBindingBytes: Int(clamping: core.maxBindingBytes),
            isUsable: core.usable,
            isAutomatic: core.auto,
            reason: core.reason
        )
    }
}

extension Benchmark {
    init(_ core: KingletBindings.Benchmark) {
        self.init(
            promptTokensPerSecond: core.prefillTps,
            tokensPerSecond: core.decodeTps,
            promptSamples: core.prefillSamples,
            samples: core.decodeSamples,
            device: core.device
        )
    }
}

extension Qualification {
    init(_ core: KingletBindings.Qualification) {
        let fitness: Fitness =
            switch core.verdict {
            case .good: .good
            case .replaced: .replaced
            case .cpu: .cpu
            }
        self.init(
            fitness: fitness,
            replaced: core.ladder.map {
                Replacement(node: $0.node, from: $0.fromKernel, to: $0.toKernel, why: $0.why)
            },
            isCached: core.cached,
            adapter: core.adapter,
            driver: core.driver,
            runs: Int(clamping: core.runs),
            milliseconds: core.ms,
            json: core.json
        )
    }
}

extension Divergence {
    init(_ core: KingletBindings.Divergence) {
        let verdict: Verdict =
            switch core.verdict {
            case .same: .same
            case .drift: .drift
            case .broken: .broken
            }
        self.init(
            verdict: verdict,
            firstBad: core.firstBad,
            kindOfFault: core.classOfFault,
            kernel: core.kernel,
            nodes: Int(core.nodes),
            isWhole: core.whole,
            json: core.json,
            html: core.html
        )
    }
}

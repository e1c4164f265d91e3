internal import KingletBindings

// What the core says, for an app.

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

extension LogLevel {
    init(_ core: KingletBindings.LogLevel) {
        self =
            switch core {
            case .off: .off
            case .error: .error
            case .warn: .warning
            case .info: .info
            case .debug: .debug
            case .trace: .trace
            }
    }
}

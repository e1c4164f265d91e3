import Foundation
internal import KingletBindings

// What an app says, for the core. Its types change with it: but for errors and sampling, this file and `FromCore` are the
// only ones that know both sides.

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

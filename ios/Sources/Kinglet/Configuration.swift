import Foundation

/// Where a model runs.
public enum Device: Sendable, Hashable, Codable, CaseIterable {
    /// The fastest that can be trusted.
    case automatic
    /// Kernels on the CPU.
    case cpu
    /// Kernels on a GPU, whatever it is; an error where there is none.
    case gpu
    /// The readable interpreter, for comparisons. It is slow.
    case reference
}

/// How a model is opened. What is left out is as the core thinks best.
public struct Configuration: Sendable, Hashable {
    /// The GGUF file. It must be a real file of this device, for its weights are mapped into memory.
    public var model: URL
    /// Where it runs.
    public var device: Device
    /// CPU threads; by default one a processor, at most 4.
    public var threads: Int?
    /// Positions of a session, prompt and answer together; by default the model's, at most 4096.
    public var context: Int?
    /// Tokens of a prompt that are computed together; 64 by default.
    public var prefillChunk: Int?
    /// How activations enter products; ``Activations/int16`` by default.
    public var activations: Activations?
    /// How keys and values are stored; ``KeyValueType/float16`` by default.
    public var keyValueType: KeyValueType?
    /// Which nodes run together; ``Schedule/fused`` by default.
    public var schedule: Schedule?
    /// A chat template (Jinja) instead of the file's.
    public var chatTemplate: String?
    /// How a GPU is used.
    public var gpu: GPUOptions
    /// What a phone asks of an app that computes.
    public var manners: Manners

    /// A configuration for a model; all but its file may be left out.
    public init(
        model: URL,
        device: Device = .automatic,
        threads: Int? = nil,
        context: Int? = nil,
        prefillChunk: Int? = nil,
        activations: Activations? = nil,
        keyValueType: KeyValueType? = nil,
        schedule: Schedule? = nil,
        chatTemplate: String? = nil,
        gpu: GPUOptions = .init(),
        manners: Manners = .init()
    ) {
        self.model = model
        self.device = device
        self.threads = threads
        self.context = context
        self.prefillChunk = prefillChunk
        self.activations = activations
        self.keyValueType = keyValueType
        self.schedule = schedule
        self.chatTemplate = chatTemplate
        self.gpu = gpu
        self.manners = manners
    }
}

/// How activations enter products.
public enum Activations: Sendable, Hashable, Codable, CaseIterable {
    /// 16 bits with one scale for every 32: near 32-bit floats.
    case int16
    /// 8 bits with one scale for every 32: prompts are read faster.
    case int8
    /// As they are, on a GPU: slower than integers on most.
    case float32
}

/// How keys and values are stored.
public enum KeyValueType: Sendable, Hashable, Codable, CaseIterable {
    /// Half the memory.
    case float16
    /// As computed.
    case float32
}

/// Which nodes of the graph run together.
public enum Schedule: Sendable, Hashable, Codable, CaseIterable {
    /// As many as a device can.
    case fused
    /// Each alone, to compare with.
    case plain
}

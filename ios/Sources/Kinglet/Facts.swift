/// A model file.
public struct ModelInfo: Sendable, Hashable, Codable {
    /// The file's own name for the model, if it has one.
    public var name: String?
    /// Its family, such as `llama`.
    public var architecture: String
    /// Numbers in all tensors.
    public var parameters: Int
    /// Bytes of the file.
    public var fileBytes: Int
    /// Decoder layers.
    public var layers: Int
    /// Width of the residual stream.
    public var width: Int
    /// Tokens in the vocabulary.
    public var vocabulary: Int
    /// Positions that the model was trained for.
    public var trainedContext: Int
    /// Whether there is a chat template. Without one the model may never have been tuned to converse.
    public var hasChatTemplate: Bool

    /// Facts of a model, for previews and tests.
    public init(
        name: String?,
        architecture: String,
        parameters: Int,
        fileBytes: Int,
        layers: Int,
        width: Int,
        vocabulary: Int,
        trainedContext: Int,
        hasChatTemplate: Bool
    ) {
        self.name = name
        self.architecture = architecture
        self.parameters = parameters
        self.fileBytes = fileBytes
        self.layers = layers
        self.width = width
        self.vocabulary = vocabulary
        self.trainedContext = trainedContext
        self.hasChatTemplate = hasChatTemplate
    }
}

/// Bytes that a model takes.
public struct MemoryPlan: Sendable, Hashable, Codable {
    /// Weights as the device holds them.
    public var weights: Int
    /// Keys and values of one session at full context.
    public var keyValue: Int
    /// Intermediate values.
    public var scratch: Int
    /// All of it.
    public var total: Int

    /// A plan, for previews and tests.
    public init(weights: Int, keyValue: Int, scratch: Int, total: Int) {
        self.weights = weights
        self.keyValue = keyValue
        self.scratch = scratch
        self.total = total
    }
}

/// What runs a model.
public struct DeviceInfo: Sendable, Hashable, Codable {
    /// `cpu`, `gpu` or `reference`.
    public var kind: String
    /// Instruction set or adapter, threads, precision: for people.
    public var detail: String
    /// Why the model was opened on its first device.
    public var reason: String

    /// Facts of a device, for previews and tests.
    public init(kind: String, detail: String, reason: String) {
        self.kind = kind
        self.detail = detail
        self.reason = reason
    }
}

/// A GPU, as its driver describes it.
public struct GPUInfo: Sendable, Hashable, Codable {
    /// What its driver calls it.
    public var name: String
    /// Driver and version.
    public var driver: String
    /// `metal` or `vulkan`.
    public var backend: String
    /// `discrete`, `integrated`, `virtual`, `software` or `other`.
    public var kind: String
    /// What kernels lean on there, 0 to 2.
    public var tier: Int
    /// What it offers of what Kinglet can use.
    public var features: [String]
    /// The most bytes of one binding.
    public var maximumBindingBytes: Int
    /// Whether it can be used.
    public var isUsable: Bool
    /// Whether ``Device/automatic`` would try it.
    public var isAutomatic: Bool
    /// Why it cannot be used, or why ``Device/automatic`` leaves it.
    public var reason: String?

    /// Facts of a GPU, for previews and tests.
    public init(
        name: String,
        driver: String,
        backend: String,
        kind: String,
        tier: Int,
        features: [String],
        maximumBindingBytes: Int,
        isUsable: Bool,
        isAutomatic: Bool,
        reason: String?
    ) {
        self.name = name
        self.driver = driver
        self.backend = backend
        self.kind = kind
        self.tier = tier
        self.features = features
        self.maximumBindingBytes = maximumBindingBytes
        self.isUsable = isUsable
        self.isAutomatic = isAutomatic
        self.reason = reason
    }
}

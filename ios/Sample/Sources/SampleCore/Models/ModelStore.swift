import Foundation
import Kinglet

/// A model in the app's own folder.
public struct StoredModel: Hashable, Identifiable, Sendable {
    /// Where it is.
    public var file: URL
    /// How large.
    public var bytes: Int64
    /// Of the whole file, in hexadecimal.
    public var sha256: String

    /// A model.
    public init(file: URL, bytes: Int64, sha256: String) {
        self.file = file
        self.bytes = bytes
        self.sha256 = sha256
    }

    /// Its file name.
    public var id: String { file.lastPathComponent }

    /// The file's name without its ending.
    public var name: String { file.deletingPathExtension().lastPathComponent }
}

/// What a model is, and whether there is memory enough for it now.
public struct ModelFacts: Equatable, Sendable {
    /// What the file holds.
    public var info: ModelInfo
    /// What it takes.
    public var plan: MemoryPlan
    /// Why it does not fit, in the library's words; nothing where it does.
    public var obstacle: String?

    /// Facts.
    public init(info: ModelInfo, plan: MemoryPlan, obstacle: String? = nil) {
        self.info = info
        self.plan = plan
        self.obstacle = obstacle
    }
}

/// How far a copy is.
public struct Copied: Equatable, Sendable {
    /// So far.
    public var bytes: Int64
    /// Of so many.
    public var total: Int64

    /// How far a copy is.
    public init(bytes: Int64, total: Int64) {
        self.bytes = bytes
        self.total = total
    }
}

/// The models that the app has.
public protocol ModelStore: Sendable {
    /// By name.
    func all() async -> [StoredModel]

    /// The one that is used.
    func chosen() async -> StoredModel?

    /// Copies a document into the app's folder. A file that is no model is not kept. The first model is chosen at once.
    func add(_ document: URL, progress: @escaping @Sendable (Copied) -> Void) async throws -> StoredModel

    /// Uses this one from now on.
    func choose(_ model: StoredModel) async throws

    /// Takes it away.
    func delete(_ model: StoredModel) async throws

    /// What it is and needs.
    func facts(of model: StoredModel) async throws -> ModelFacts
}

/// The device has no room for a copy; bytes.
public struct NoRoomError: Error {
    /// So many would be written.
    public var needed: Int64
    /// So many are free.
    public var free: Int64

    /// No room.
    public init(needed: Int64, free: Int64) {
        self.needed = needed
        self.free = free
    }
}

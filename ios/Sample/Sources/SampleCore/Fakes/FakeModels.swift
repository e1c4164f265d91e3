import Foundation
import Kinglet

/// Models that are names alone.
public actor FakeModels: ModelStore {
    private var models: [StoredModel]
    private var used: StoredModel?
    private let failure: (any Error)?
    private let endless: Bool
    /// What happened to it.
    public let calls = FakeCalls()

    /// The first one is chosen. Copies fail with the failure, or do not end by themselves.
    public init(_ models: [StoredModel] = [], failure: (any Error)? = nil, endless: Bool = false) {
        self.models = models
        used = models.first
        self.failure = failure
        self.endless = endless
    }

    public func all() -> [StoredModel] { models }

    public func chosen() -> StoredModel? { used }

    public func add(_ document: URL, progress: @escaping @Sendable (Copied) -> Void) async throws -> StoredModel {
        progress(Copied(bytes: 40, total: 100))
        if let failure { throw failure }
        if endless { try await calls.wait() }
        let model = StoredModel(file: document, bytes: 100, sha256: "abc")
        models.append(model)
        used = used ?? model
        return model
    }

    public func choose(_ model: StoredModel) throws {
        if let failure { throw failure }
        used = model
    }

    public func delete(_ model: StoredModel) throws {
        if let failure { throw failure }
        models.removeAll { $0 == model }
        if used == model { used = nil }
    }

    /// Large ones do not fit.
    public func facts(of model: StoredModel) throws -> ModelFacts {
        if model.sha256.isEmpty { throw NoRoomError(needed: 1, free: 0) }
        let obstacle = model.bytes > 1_000_000_000 ? Believable.obstacle : nil
        return ModelFacts(info: Believable.info, plan: Believable.plan, obstacle: obstacle)
    }
}

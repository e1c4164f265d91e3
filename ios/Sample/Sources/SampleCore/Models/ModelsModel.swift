import Foundation
import Observation

/// A model as a screen shows it.
public struct ModelEntry: Equatable, Identifiable, Sendable {
    /// Its file.
    public var model: StoredModel
    /// It is the one that is used.
    public var chosen: Bool
    /// Not known yet, or not to be known: see ``problem``.
    public var facts: ModelFacts?
    /// Why nothing is known of it.
    public var problem: Problem?

    /// The model's.
    public var id: StoredModel.ID { model.id }
}

/// The models that the app has, and the copy that is being made.
@MainActor
@Observable
public final class ModelsModel {
    /// By name.
    public private(set) var entries: [ModelEntry] = []
    /// A copy that is being made.
    public private(set) var copied: Copied?
    /// What went wrong.
    public private(set) var problem: Problem?

    @ObservationIgnored private let parts: Parts
    @ObservationIgnored private var task: Task<Void, Never>?
    @ObservationIgnored private var run = 0

    /// Shows nothing before ``look()``.
    public init(parts: Parts) {
        self.parts = parts
    }

    /// Shows what there is. Memory comes and goes, so it asks anew each time.
    public func look() async {
        await list()
        for entry in entries {
            let facts: ModelFacts?
            var problem: Problem?
            do {
                facts = try await parts.models.facts(of: entry.model)
            } catch {
                facts = nil
                problem = Problem(error)
            }
            guard let place = entries.firstIndex(where: { $0.model == entry.model }) else { continue }
            entries[place].facts = facts
            entries[place].problem = problem
        }
    }

    /// Copies a document that the person picked.
    public func add(_ document: URL) {
        stopCopy()
        problem = nil
        copied = Copied(bytes: 0, total: 0)
        let mine = run
        task = Task { [weak self, parts] in
            var problem: Problem?
            do {
                _ = try await parts.models.add(document) { copied in
                    Task { @MainActor in self?.show(copied, of: mine) }
                }
            } catch {
                problem = Problem(error)
            }
            guard let self, mine == self.run else { return }
            self.endCopy()
            self.problem = problem
            await self.look()
        }
    }

    /// Ends the copy; nothing of it stays.
    public func stopCopy() {
        task?.cancel()
        endCopy()
    }

    /// The picker did not give a document.
    public func refused(_ error: any Error) {
        problem = Problem(error)
    }

    /// Nothing is said of the last problem any more.
    public func dismiss() {
        problem = nil
    }

    /// Uses this one from now on.
    public func choose(_ model: StoredModel) async {
        await change { try await self.parts.models.choose(model) }
    }

    /// Takes it away.
    public func delete(_ model: StoredModel) async {
        await change { try await self.parts.models.delete(model) }
    }

    private func endCopy() {
        task = nil
        run += 1
        copied = nil
    }

    private func change(_ change: () async throws -> Void) async {
        do {
            try await change()
        } catch {
            problem = Problem(error)
        }
        await list()
        await parts.settle()
    }

    private func list() async {
        let chosen = await parts.models.chosen()
        let known = entries
        entries = await parts.models.all().map { model in
            let before = known.first { $0.model == model }
            return ModelEntry(model: model, chosen: model == chosen, facts: before?.facts, problem: before?.problem)
        }
    }

    // What is told too late belongs to another copy.
    private func show(_ copied: Copied, of run: Int) {
        if run == self.run { self.copied = copied }
    }
}

import Foundation
import Kinglet

/// The chosen model, opened when somebody first needs it and kept for the whole process: screens, shortcuts and the
/// background share one.
public actor OpenModel {
    private struct Opened {
        let model: StoredModel
        let engine: Task<Engine, any Error>
    }

    private let models: any ModelStore
    private let loading: Loading
    private let device: Device
    private var opened: Opened?
    private var closing: Task<Void, Never>?

    /// Opens nothing yet.
    public init(models: any ModelStore, loading: Loading, device: Device = .automatic) {
        self.models = models
        self.loading = loading
        self.device = device
    }

    /// How the chosen model is opened.
    public func configuration() async throws -> Configuration {
        Configuration(model: try await chosen().file, device: device)
    }

    /// Opens it, if it is not open. Whoever leaves on the way leaves the model to the next one.
    public func engine() async throws -> Engine {
        let chosen = try await chosen()
        if let opened, opened.model == chosen { return try await opened.engine.value }
        letGo()
        let mine = Opened(model: chosen, engine: open(chosen, after: closing))
        opened = mine
        do {
            return try await mine.engine.value
        } catch {
            // The next one tries again.
            if opened?.engine == mine.engine { opened = nil }
            throw error
        }
    }

    /// One of the caller's own, who closes it. The shared one gives its memory back first.
    public func another() async throws -> Engine {
        let configuration = try await configuration()
        await release()
        return try await Kinglet.open(configuration)
    }

    /// Gives its memory back; the next ``engine()`` opens it again.
    public func release() async {
        letGo()
        await closing?.value
    }

    /// Gives its memory back where another model was chosen, or none.
    public func settle() async {
        let chosen = await models.chosen()
        if let opened, opened.model != chosen { await release() }
    }

    private func chosen() async throws -> StoredModel {
        guard let chosen = await models.chosen() else { throw NoModelError() }
        return chosen
    }

    private func letGo() {
        guard let old = opened else { return }
        opened = nil
        closing = Task { [closing] in
            await closing?.value
            if let engine = try? await old.engine.value { await engine.close() }
        }
    }

    // A phone has seldom room for two, so the old one goes first.
    private func open(_ model: StoredModel, after closing: Task<Void, Never>?) -> Task<Engine, any Error> {
        let configuration = Configuration(model: model.file, device: device)
        return Task { [loading] in
            await closing?.value
            await loading.begin()
            let result: Result<Engine, any Error>
            do {
                let engine = try await Kinglet.open(configuration) { progress in
                    Task { @MainActor in loading.show(progress.fraction) }
                }
                result = .success(engine)
            } catch {
                result = .failure(error)
            }
            await loading.end()
            return try result.get()
        }
    }
}

import Kinglet
import Observation

/// An answer as a screen shows it, while it is made and after.
public struct Live: Equatable, Sendable {
    /// What there is of it.
    public var text = ""
    /// More may come.
    public var running = false
    /// What a person should know while they wait.
    public var note: Note?
    /// Why there is no more.
    public var problem: Problem?
    /// What it took, once it has ended.
    public var stats: Stats?

    /// Nothing yet.
    public init() {}
}

/// What a person should know while they wait.
public enum Note: Equatable, Sendable {
    /// A long text is treated in parts.
    case part(Int, of: Int)
    /// A device was given up, and this one goes on.
    case switched(to: String)
    /// It goes on, slower.
    case throttled(ThrottleReason)
}

/// Makes one answer at a time.
@MainActor
@Observable
public final class Answer {
    /// How far it is.
    public private(set) var live = Live()
    @ObservationIgnored private var task: Task<Void, Never>?

    /// Nothing is asked yet.
    public init() {}

    /// Stops what runs, and makes this instead. `done` is called with the whole text.
    public func begin(_ events: Events, done: @escaping @MainActor (String) -> Void = { _ in }) {
        run { [weak self] in
            for try await event in events {
                // What comes after a stop belongs to nobody.
                try Task.checkCancellation()
                self?.show(event)
            }
            try Task.checkCancellation()
            if let text = self?.live.text { done(text) }
        }
    }

    /// The same for what comes at once.
    public func wait(for work: @escaping @MainActor () async throws -> Void) {
        run(work)
    }

    /// Ends it; what there is of the text stays.
    public func stop() {
        task?.cancel()
        end(nil)
    }

    /// Nothing is shown any more.
    public func clear() {
        stop()
        live = Live()
    }

    private func run(_ work: @escaping @MainActor () async throws -> Void) {
        clear()
        live.running = true
        task = Task { [weak self] in
            var problem: Problem?
            do {
                try await work()
            } catch {
                problem = Problem(error)
            }
            // Whoever cancelled has put something else in its place already.
            if !Task.isCancelled { self?.end(problem) }
        }
    }

    private func end(_ problem: Problem?) {
        task = nil
        live.running = false
        live.note = nil
        live.problem = problem ?? live.problem
    }

    private func show(_ event: Event) {
        live.text += event
        switch event {
        case .switched(let change): live.note = .switched(to: change.to)
        case .throttled(let reason): live.note = reason.map(Note.throttled)
        case .progress(let part, let parts, _): live.note = parts > 1 ? .part(part, of: parts) : nil
        case .done(let outcome):
            live.text = outcome.text
            live.stats = outcome.stats
        default: break
        }
    }
}

import Foundation
internal import KingletBindings

/// A loaded language model.
///
/// One thread of its own runs it, so calls take turns. Every function may be called from anywhere, the main actor too.
/// Streams are cold: a loop begins the work, and stops it by leaving. Text longer than the context is treated in parts;
/// empty text gives an empty result.
///
/// It minds the phone (``Manners``): the GPU rests in the background, a warm phone is spared, and memory that the system
/// asks for is given back. Its own memory is free after ``close()``, or once it, its sessions and its streams are gone.
public final class Engine: Sendable {
    /// What the file holds.
    public let info: ModelInfo

    /// What the model and one session take.
    public let memory: MemoryPlan

    /// Positions of a session.
    public var contextLength: Int { calls.contextLength }

    let calls: Calls

    init(_ core: CoreEngine, _ calls: Calls) {
        self.calls = calls
        info = ModelInfo(core.info())
        memory = MemoryPlan(core.memory())
    }

    /// What it does.
    public var state: EngineState { calls.residence.activity.shown.value }

    /// What it does now, and each change; a slow reader sees the newest. It ends with ``EngineState/closed``.
    public var states: AsyncStream<EngineState> { calls.residence.activity.shown.stream }

    /// What runs the model now; under ``Device/automatic`` that may change.
    public var device: DeviceInfo {
        get async throws { try await calls.value { engine, _ in DeviceInfo(try engine.device()) } }
    }

    /// An empty session. The core's part of it is made with its first use.
    public func session(instructions: String? = nil) -> Session {
        Session(Seat(calls), transcript: instructions.map { [Message(role: .system, content: $0)] } ?? [])
    }

    /// Goes on with a session that ``Session/save(to:)`` wrote, here or on another device, with the same model.
    public func restore(from file: URL) async throws -> Session {
        let transcript = try Transcript.read(beside: file)
        let core = try await calls.value { engine, work in try await engine.restore(path: file.path, work: work) }
        return Session(Seat(calls, core), transcript: transcript)
    }

    /// Measures reading and writing with so many tokens, so many times.
    public func benchmark(prefill: Int = 128, decode: Int = 32, repetitions: Int = 3) async throws -> Benchmark {
        let (prefill, decode) = (try unsigned(prefill, "prefill"), try unsigned(decode, "decode"))
        let repetitions = try unsigned(repetitions, "repetitions")
        return try await calls.value { engine, work in
            Benchmark(
                try await engine.benchmark(prefill: prefill, decode: decode, repeat: repetitions, work: work))
        }
    }

    /// Keeps the GPU from working, for reasons of the app's own; that the app is in the background is known without. What
    /// runs ends with ``KingletError/suspended(_:)``; under ``Device/automatic`` it goes on on the CPU.
    public func suspendGPU() async throws {
        try calls.watch.suspendGPU(true)
    }

    /// Lets the GPU work again, as soon as the app is in the foreground.
    public func resumeGPU() async throws {
        try calls.watch.suspendGPU(false)
    }

    /// Frees what makes the next call faster and is not needed for it. It takes its turn like any other call.
    public func trim() async throws {
        // There is nothing to free, and loading the model for it would be absurd.
        if calls.residence.activity.isUnloaded { return }
        try await calls.value { engine, _ in try await engine.trim() }
    }

    /// Cancels what runs, refuses what waits, and returns once the model's memory is free. Later calls, those of its
    /// sessions too, fail with ``KingletError/closed(_:)``. It may be called again.
    public func close() async {
        calls.watch.stop()
        await calls.residence.shutdown()
    }
}

extension Engine {
    /// Tokens of a text.
    public func countTokens(_ text: String) async throws -> Int {
        try await calls.value { engine, _ in Int(try engine.countTokens(text: text)) }
    }

    /// Tokens of a conversation, with all that the chat template adds, up to where the answer begins.
    public func countTokens(of messages: [Message]) async throws -> Int {
        try await calls.value { engine, _ in Int(try engine.countMessageTokens(messages: messages.map(\.core))) }
    }

    /// A text's ids, without a begin-of-sequence token. No text becomes a control token.
    public func tokenize(_ text: String) async throws -> [Int] {
        try await calls.value { engine, _ in try engine.tokenize(text: text).map { Int($0) } }
    }

    /// The text of ids; what is no UTF-8 becomes U+FFFD.
    public func detokenize(_ ids: [Int]) async throws -> String {
        let ids = try ids.map { try unsigned($0, "ids") }
        return try await calls.value { engine, _ in try engine.detokenize(ids: ids) }
    }
}

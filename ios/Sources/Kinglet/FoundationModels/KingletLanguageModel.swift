// Not compiled where Kinglet is built: it needs the SDK of iOS 27. Written after Apple's documentation of it.
#if canImport(FoundationModels) && compiler(>=6.4)
    import Foundation
    import FoundationModels
    internal import KingletBindings

    /// A model of Kinglet's behind Apple's `LanguageModelSession`.
    ///
    /// ```swift
    /// let session = LanguageModelSession(model: KingletLanguageModel(engine))
    /// let answer = try await session.respond(to: "Hello")
    /// ```
    ///
    /// It answers in text: tools and guided generation are not among its capabilities, and the framework refuses them by
    /// itself.
    @available(iOS 27.0, macOS 27.0, *)
    public struct KingletLanguageModel: LanguageModel {
        /// What runs it.
        public typealias Executor = KingletExecutor

        /// Text, and nothing else.
        public let capabilities = LanguageModelCapabilities([])

        /// The engine that answers.
        public let executorConfiguration: KingletExecutor.Configuration

        /// A model that an engine runs. The engine is not closed with it.
        public init(_ engine: Engine) {
            executorConfiguration = .init(engine: engine)
        }
    }

    /// Answers a `LanguageModelSession`. It keeps one session of the engine, so that what was said before is not computed
    /// again with each turn.
    @available(iOS 27.0, macOS 27.0, *)
    public final class KingletExecutor: LanguageModelExecutor {
        /// What it runs for.
        public typealias Model = KingletLanguageModel

        /// Which engine it runs on.
        public struct Configuration: Hashable, Sendable {
            let engine: Engine

            /// Whether both run on the same engine.
            public static func == (one: Configuration, other: Configuration) -> Bool { one.engine === other.engine }

            /// By which engine it is.
            public func hash(into hasher: inout Hasher) { hasher.combine(ObjectIdentifier(engine)) }
        }

        private let seat: Seat

        /// An executor on an engine.
        public init(configuration: Configuration) throws {
            seat = Seat(configuration.engine.calls)
        }

        /// Writes the answer to a transcript into a channel.
        public func respond(
            to request: LanguageModelExecutorGenerationRequest,
            model: KingletLanguageModel,
            streamingInto channel: LanguageModelExecutorGenerationChannel
        ) async throws {
            let messages = request.transcript.compactMap(Message.init)
            let sampling = try Sampling(request.generationOptions).core()
            let stream = Session.stream(seat) { try $0.respond(messages: messages.map(\.core), sampling: sampling) }
            for try await event in stream {
                switch event {
                case .text(let text):
                    await channel.send(.response(action: .appendText(text, tokenCount: 1)))
                case .takeBack:
                    throw KingletError.distrusted("the GPU was wrong, and what it said cannot be taken back; ask again")
                case .done(let outcome):
                    if outcome.stats.stop == .cancelled { throw KingletError.closed }
                    let stats = outcome.stats
                    await channel.send(
                        .response(
                            action: .updateUsage(
                                input: .init(
                                    totalTokenCount: stats.promptTokens, cachedTokenCount: stats.cachedTokens),
                                output: .init(totalTokenCount: stats.tokens, reasoningTokenCount: 0))))
                case .switched, .throttled, .progress: break
                }
            }
        }
    }

    @available(iOS 27.0, macOS 27.0, *)
    extension Message {
        /// An entry's text; none where it says nothing to a model that only reads text.
        fileprivate init?(_ entry: FoundationModels.Transcript.Entry) {
            switch entry {
            case .instructions(let said): self.init(role: .system, content: Self.text(said.segments))
            case .prompt(let said): self.init(role: .user, content: Self.text(said.segments))
            case .response(let said): self.init(role: .assistant, content: Self.text(said.segments))
            default: return nil
            }
        }

        private static func text(_ segments: [FoundationModels.Transcript.Segment]) -> String {
            let texts = segments.map { segment in
                if case .text(let text) = segment { text.content } else { "" }
            }
            return texts.joined(separator: "\n")
        }
    }

    @available(iOS 27.0, macOS 27.0, *)
    extension Sampling {
        fileprivate init(_ options: FoundationModels.GenerationOptions) {
            self = options.samplingMode == .greedy ? .greedy : .standard
            if let temperature = options.temperature { self.temperature = Float(temperature) }
            if let most = options.maximumResponseTokens { maximumTokens = most }
        }
    }
#endif

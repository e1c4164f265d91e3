import Foundation

import Kinglet

// The code of the README and of the catalogue, for the compiler to read. `SnippetTests` looks that it is the same.

func opening(_ url: URL, _ show: (String) -> Void) async throws {
    let configuration = Configuration(model: url)
    switch await Kinglet.availability(of: configuration) {
    case .available(let plan): print("it takes \(plan.total) bytes")
    case .unavailable(let reason): return show(reason.text)
    }
    let engine = try await Kinglet.open(configuration) { now in print(now.fraction) }
    await engine.close()
}

func summarising(_ url: URL, _ text: String) async throws -> String {
    var label = ""
    let engine = try await Kinglet.open(.init(model: url))
    for try await event in engine.summarize(text, style: .bullets) { label += event }

    let session = engine.session(instructions: "You answer in one sentence.")
    session.prewarm()
    let reply = try await session.respond(to: "Why is the sky blue?", options: .init(maximumTokens: 80))
    await engine.close()
    return label + reply.text
}

func brief(_ engine: Engine, _ text: String) async throws -> String {
    var label = ""
    for try await event in engine.summarize(text) { label += event }
    return label
}

func tasks(_ engine: Engine, _ text: String) async throws -> [Any?] {
    let found = try await engine.extract(text, fields: ["sender", "amount"])
    let label = try await engine.classify(text, labels: ["bill", "invitation"]).label
    let answers = try await engine.reply(to: text).suggestions
    let formal = try await engine.rewrite(text, tone: .formal).result().text
    return [found["sender"], label, answers, formal]
}

func queueing(_ engine: Engine, _ folder: URL) async throws -> StoredDigest? {
    let queue = SummaryQueue(file: folder.appendingPathComponent("queue"))
    try await queue.add(key: "42", notification: .init(app: "Mail", title: "Anna", text: "The room is free at ten."))
    let digest = try await Summarizer(engine).drain(queue)
    return digest
}

func diagnosing(_ configuration: Configuration, _ file: URL) async throws {
    let found = try await Kinglet.diagnose(configuration, prompt: "One, two,", options: .init(tokens: 8))
    if found.verdict == .broken { print(found.firstBad ?? "", found.kindOfFault ?? "") }
    try Data(found.html.utf8).write(to: file)
}

#if os(iOS)
    func inTheBackground(_ queue: SummaryQueue, _ url: URL) throws {
        let digests = BackgroundDigest(identifier: "app.digest", queue: queue) {
            try await Kinglet.open(.init(model: url))
        }
        digests.register()  // before the app has finished launching
        try digests.schedule()  // and again after each time
    }
#endif

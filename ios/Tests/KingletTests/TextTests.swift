import XCTest

@testable import Kinglet

/// Text of all scripts, whole.
final class TextTests: XCTestCase {
    /// Bytes that were no UTF-8, or half a character, come out as this.
    private func assertWhole(_ text: String, file: StaticString = #filePath, line: UInt = #line) {
        XCTAssertFalse(text.unicodeScalars.contains("\u{FFFD}"), "half a character in \(text)", file: file, line: line)
    }

    func testOtherScriptsArriveAsTheyWere() async throws {
        let engine = try await Fixture.engine(for: self)
        let words = ["👩‍👩‍👧‍👦 family", "猫が好き", "مرحبا بالعالم", "🇪🇺", "e\u{301}", "a\u{0}b"]
        let found = try await engine.classify(words.joined(separator: " "), labels: words)
        // By scalars: Swift takes two spellings of a letter for the same.
        XCTAssertEqual(
            found.probabilities.map { Array($0.label.unicodeScalars) }, words.map { Array($0.unicodeScalars) })
        XCTAssertTrue(words.contains(found.label ?? ""))
        XCTAssertEqual(found.probabilities.map(\.probability).reduce(0, +), 1, accuracy: 1e-6)
        let notifications = words.map { NotificationText(app: $0, title: $0, text: $0) }
        let groups = try await engine.digest(notifications, sampling: .tokens(3)).result().groups
        XCTAssertEqual(groups.map(\.app).sorted(), words.sorted())
    }

    func testAnyTextIsTokensAndBack() async throws {
        let engine = try await Fixture.engine(for: self)
        for text in ["😀😂", "你好世界", "مرحبا", "नमस्ते", "e\u{301}"] {
            let back = try await engine.detokenize(try await engine.tokenize(text))
            XCTAssertEqual(Array(back.unicodeScalars.drop { $0 == " " }), Array(text.unicodeScalars))
        }
    }

    /// Random weights, made to say the bytes of an emoji, one token each.
    func testCharactersSplitOverTokensComeWhole() async throws {
        let engine = try await Fixture.engine(for: self)
        let session = engine.session()
        for text in ["😀", "猫", "م", "👩‍👩‍👧‍👦"] {
            let ids = try await engine.tokenize(text)
            XCTAssertGreaterThan(ids.count, 1, "\(text) is one token")
            // The tokens as a prompt; the model goes on with whatever it likes, hot, from all of its bytes.
            for seed in 0..<5 {
                try await session.reset()
                let sampling = Sampling(
                    temperature: 20, topK: 0, topP: 1, minP: 0, seed: UInt64(seed), maximumTokens: 60,
                    minimumTokens: 60)
                let stream = session.generate(tokens: ids, options: GenerationOptions(sampling: sampling))
                let events = try await stream.all()
                XCTAssertEqual(events.pieces.joined(), events.outcomes.first?.text)
                // Swift's strings are whole by themselves; what the core cut would come as a replacement or be missing.
                for piece in events.pieces { XCTAssertFalse(piece.isEmpty) }
            }
        }
    }

    func testABiasedEmojiComesInOnePiece() async throws {
        let engine = try await Fixture.engine(for: self)
        let ids = try await engine.tokenize("😀")
        XCTAssertEqual(ids.count, 4, "bytes")
        // Byte after byte, by hand: each token is the only likely one, for the one before is not allowed again.
        var options = Fixture.tokens(ids.count)
        for (place, id) in ids.enumerated() { options.sampling.logitBias[id] = Float(9000 - 1000 * place) }
        options.sampling.presencePenalty = 9000
        let events = try await engine.session().generate("a", options: options).all()
        XCTAssertEqual(events.pieces, ["😀"])
        XCTAssertEqual(events.outcomes.first?.stats.tokens, 4)
        events.pieces.forEach { assertWhole($0) }
    }

    func testWhatIsTakenBackGoesByScalars() {
        let cases = [("a😀", 1, "a"), ("a猫😀", 2, "a"), ("a😀", 7, ""), ("a😀", 0, "a😀"), ("a", -1, "a")]
        for (before, count, after) in cases {
            var text = before
            text += .takeBack(characters: count)
            XCTAssertEqual(text, after)
        }
        var accent = "e\u{301}"
        accent += .takeBack(characters: 1)
        XCTAssertEqual(accent, "e")
    }

    func testOtherEventsAddNothing() {
        var text = "a"
        text += .switched(DeviceSwitch(from: "gpu", to: "cpu", why: "wrong"))
        text += .throttled(.hot)
        text += .throttled(nil)
        text += .progress(part: 1, parts: 2, round: 0)
        text += .done(Outcome(text: "another"))
        XCTAssertEqual(text, "a")
        text += .text("b")
        XCTAssertEqual(text, "ab")
    }

    func testTheGrowingTextTakesBackWhatWasWrong() async throws {
        let events: [Event] = [
            .text("a😀"), .takeBack(characters: 1), .switched(DeviceSwitch(from: "gpu", to: "cpu", why: "wrong")),
            .text("b "), .done(Outcome(text: "ab")),
        ]
        let stream = EventStream {
            AsyncThrowingStream { reader in
                for event in events { reader.yield(event) }
                reader.finish()
            }
        }
        var texts: [String] = []
        for try await text in stream.texts { texts.append(text) }
        XCTAssertEqual(texts, ["a😀", "a", "ab ", "ab"])
        let result = try await stream.result()
        XCTAssertEqual(result.text, "ab")
    }

    func testEmptyTextGivesAnEmptyResult() async throws {
        let engine = try await Fixture.engine(for: self)
        let summary = try await engine.summarize("").result()
        XCTAssertEqual(summary.text, "")
        XCTAssertNil(summary.stats.stop)
        let label = try await engine.classify("", labels: ["a", "b"]).label
        XCTAssertNil(label)
        let suggestions = try await engine.reply(to: "").suggestions
        XCTAssertEqual(suggestions, [])
    }
}

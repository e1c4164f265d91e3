import XCTest

@testable import Kinglet

/// Nothing is summarised twice, and nothing is lost.
final class QueueTests: XCTestCase {
    private func place() throws -> URL {
        try Fixture.folder(for: self).appendingPathComponent("queue/waiting")
    }

    private func note(_ number: Int, app: String = "Mail") -> NotificationText {
        NotificationText(app: app, title: "Anna", text: "Message number \(number)", time: "10:\(number)")
    }

    private let answer = Outcome(text: "all", groups: [DigestGroup(app: "Mail", count: 2, summary: "all")])

    private func add(_ numbers: Int..., to queue: SummaryQueue) async throws {
        for number in numbers {
            let isNew = try await queue.add(key: "key \(number)", notification: note(number))
            XCTAssertTrue(isNew)
        }
    }

    private func assertWaiting(_ queue: SummaryQueue, _ numbers: [Int], line: UInt = #line) async throws {
        let waiting = try await queue.waiting()
        XCTAssertEqual(waiting, numbers.map { note($0) }, line: line)
    }

    func testWhatWasAddedWaitsInOrder() async throws {
        let queue = SummaryQueue(file: try place())
        try await assertWaiting(queue, [])
        try await add(3, 1, 2, to: queue)
        try await assertWaiting(queue, [3, 1, 2])
    }

    func testAKeyCountsOnce() async throws {
        let queue = SummaryQueue(file: try place())
        try await add(1, to: queue)
        var isNew = try await queue.add(key: "key 1", notification: note(9))
        XCTAssertFalse(isNew)
        _ = try await queue.drain(limit: 10) { [answer] _ in answer }
        isNew = try await queue.add(key: "key 1", notification: note(1))
        XCTAssertFalse(isNew, "it was summarised already")
        try await assertWaiting(queue, [])
    }

    func testWhatIsGoneWaitsNoMore() async throws {
        let queue = SummaryQueue(file: try place())
        try await add(1, 2, to: queue)
        try await queue.remove(key: "key 1")
        try await queue.remove(key: "never there")
        try await assertWaiting(queue, [2])
    }

    func testADigestTakesWhatWaitedAndIsKept() async throws {
        let queue = SummaryQueue(file: try place())
        try await add(1, 2, to: queue)
        let made = try await queue.drain(limit: 10) { [answer] in
            Outcome(text: "\($0.count) notifications", groups: answer.groups)
        }
        XCTAssertEqual(made?.text, "2 notifications")
        XCTAssertEqual(made?.notifications, [note(1), note(2)])
        XCTAssertEqual(made?.groups, answer.groups)
        let history = try await queue.history()
        XCTAssertEqual(history, [try XCTUnwrap(made)])
        let none = try await queue.drain(limit: 10) { _ in throw KingletError.internal("nothing waits") }
        XCTAssertNil(none)
    }

    func testItIsThereWhenTheProcessComesBack() async throws {
        let file = try place()
        do {
            let queue = SummaryQueue(file: file)
            try await add(1, 2, to: queue)
            _ = try await queue.drain(limit: 1) { [answer] _ in answer }
        }
        let queue = SummaryQueue(file: file)
        try await assertWaiting(queue, [2])
        let history = try await queue.history()
        XCTAssertEqual(history.map(\.notifications), [[note(1)]])
    }

    /// A process may end after any byte of what it writes. Whatever is on the disk then, what was said to be there is.
    func testAProcessThatEndsAtAnyByteLosesNothing() async throws {
        let file = try place()
        let queue = SummaryQueue(file: file)
        try await add(1, to: queue)
        let before = try Data(contentsOf: file).count
        _ = try await queue.drain(limit: 10) { [answer] _ in answer }
        let whole = try Data(contentsOf: file)
        XCTAssertGreaterThan(whole.count, before + 50)
        for end in before...whole.count {
            let torn = try Fixture.folder(for: self).appendingPathComponent("torn")
            try whole.prefix(end).write(to: torn)
            let back = SummaryQueue(file: torn)
            let (waiting, digests) = (try await back.waiting(), try await back.history())
            XCTAssertEqual(waiting.count + digests.count, 1, "\(end) of \(whole.count) bytes")
            XCTAssertEqual(digests.count, end == whole.count ? 1 : 0, "\(end) of \(whole.count) bytes")
            // What follows a torn line is whole again.
            try await add(2, to: back)
            let again = try await SummaryQueue(file: torn).waiting()
            XCTAssertEqual(again.last, note(2))
            XCTAssertEqual(again.count + digests.count, 2, "\(end) of \(whole.count) bytes")
        }
    }

    func testALineThatCannotBeReadIsLeftOut() async throws {
        let file = try place()
        try await add(1, 2, to: SummaryQueue(file: file))
        var lines = try String(contentsOf: file, encoding: .utf8).split(separator: "\n")
        lines[0] = "{\"future\":{}}"
        try Data((lines.joined(separator: "\n") + "\n").utf8).write(to: file)
        try await assertWaiting(SummaryQueue(file: file), [2])
    }

    func testADigestThatFailsLeavesAllAsItWas() async throws {
        struct Bad: Error {}
        let queue = SummaryQueue(file: try place())
        try await add(1, 2, to: queue)
        let error = await failure(of: try await queue.drain(limit: 10) { _ in throw Bad() })
        XCTAssertTrue(error is Bad)
        try await assertWaiting(queue, [1, 2])
        let history = try await queue.history()
        XCTAssertEqual(history, [])
    }

    func testTwoAtOnceMakeOneDigest() async throws {
        let file = try place()
        let (one, other) = (SummaryQueue(file: file), SummaryQueue(file: file))
        try await add(1, 2, to: one)
        let made = Guarded(0)
        let digest: @Sendable ([NotificationText]) async throws -> Outcome = { [answer] _ in
            made.with { $0 += 1 }
            for _ in 0..<50 { await Task.yield() }
            return answer
        }
        async let first = one.drain(limit: 10, summarize: digest)
        async let second = other.drain(limit: 10, summarize: digest)
        let digests = try await [first, second].compactMap { $0 }
        XCTAssertEqual(digests.count, 1)
        XCTAssertEqual(made.with { $0 }, 1)
        let history = try await other.history()
        XCTAssertEqual(history, digests)
    }

    /// Another process has no part in this one's turns.
    func testAProcessThatWasFasterIsNotOverruled() async throws {
        let file = try place()
        let queue = SummaryQueue(file: file)
        try await add(1, 2, to: queue)
        let made = try await queue.drain(limit: 10) { [answer] _ in
            _ = try Journal(file).change { state in
                .digest(keys: state.waiting.map(\.key), text: "theirs", groups: [], at: Date())
            }
            return answer
        }
        XCTAssertNil(made)
        let history = try await queue.history()
        XCTAssertEqual(history.map(\.text), ["theirs"])
    }

    func testWhatComesMeanwhileWaitsForTheNext() async throws {
        let queue = SummaryQueue(file: try place())
        try await add(1, to: queue)
        _ = try await queue.drain(limit: 10) { [answer, note = note(2)] _ in
            try await queue.add(key: "key 2", notification: note)
            return answer
        }
        try await assertWaiting(queue, [2])
    }

    func testTwoQueuesOfAFileSeeEachOther() async throws {
        let file = try place()
        let (one, other) = (SummaryQueue(file: file), SummaryQueue(file: file))
        for number in 0..<40 { try await add(number, to: number.isMultiple(of: 2) ? one : other) }
        try await assertWaiting(one, Array(0..<40))
        try await assertWaiting(other, Array(0..<40))
    }

    func testManyAtOnceAllArrive() async throws {
        let file = try place()
        await withTaskGroup(of: Void.self) { group in
            for writer in 0..<4 {
                group.addTask {
                    let queue = SummaryQueue(file: file)
                    for number in 0..<50 {
                        let text = NotificationText(app: "App", title: "\(writer)", text: "\(number)")
                        _ = try? await queue.add(key: "\(writer) \(number)", notification: text)
                    }
                }
            }
        }
        let waiting = try await SummaryQueue(file: file).waiting()
        XCTAssertEqual(waiting.count, 200)
        for writer in 0..<4 {
            XCTAssertEqual(waiting.filter { $0.title == "\(writer)" }.map(\.text), (0..<50).map(String.init))
        }
    }

    func testALongJournalIsWrittenAnew() async throws {
        let file = try place()
        let (queue, other) = (SummaryQueue(file: file), SummaryQueue(file: file))
        try await add(1, to: other)
        for number in 0..<400 {
            try await queue.add(key: "gone \(number)", notification: note(number))
            try await queue.remove(key: "gone \(number)")
        }
        try await add(2, to: other)
        let lines = try String(contentsOf: file, encoding: .utf8).split(separator: "\n").count
        XCTAssertLessThan(lines, 300)
        for queue in [queue, other, SummaryQueue(file: file)] { try await assertWaiting(queue, [1, 2]) }
        let isNew = try await other.add(key: "gone 7", notification: note(7))
        XCTAssertFalse(isNew, "keys outlive their lines")
    }

    func testADigestThatIsDeletedDoesNotComeBack() async throws {
        let queue = SummaryQueue(file: try place())
        try await add(1, to: queue)
        let made = try await queue.drain(limit: 10) { [answer] _ in answer }
        try await queue.delete(id: try XCTUnwrap(made?.id))
        let history = try await queue.history()
        XCTAssertEqual(history, [])
        let isNew = try await queue.add(key: "key 1", notification: note(1))
        XCTAssertFalse(isNew)
        try await add(2, to: queue)
        let next = try await queue.drain(limit: 10) { [answer] _ in answer }
        XCTAssertNotEqual(next?.id, made?.id)
    }

    func testTheHistoryIsTheNewestFirst() async throws {
        let queue = SummaryQueue(file: try place())
        for number in 0..<3 {
            try await add(number, to: queue)
            _ = try await queue.drain(limit: 1) { _ in Outcome(text: "\(number)") }
        }
        var texts = try await queue.history().map(\.text)
        XCTAssertEqual(texts, ["2", "1", "0"])
        texts = try await queue.history(limit: 2).map(\.text)
        XCTAssertEqual(texts, ["2", "1"])
        texts = try await queue.history(limit: -1).map(\.text)
        XCTAssertEqual(texts, [])
    }

    func testClearingForgetsEverything() async throws {
        let queue = SummaryQueue(file: try place())
        try await add(1, 2, to: queue)
        _ = try await queue.drain(limit: 1) { [answer] _ in answer }
        try await queue.clear()
        let (waiting, history) = (try await queue.waiting(), try await queue.history())
        XCTAssertEqual(waiting.count + history.count, 0)
        try await add(1, to: queue)
    }

    func testKeysOfWhatIsGoneAreForgottenAfterAMonth() {
        var state = QueueState()
        let start = Date(timeIntervalSince1970: 0)
        let later = start.addingTimeInterval(31 * 24 * 60 * 60)
        for key in ["gone", "kept"] { state.apply(.add(key: key, notification: note(1), at: start)) }
        state.apply(.remove(key: "gone"))
        state.apply(.add(key: "new", notification: note(2), at: later))
        state.apply(.digest(keys: ["new"], text: "", groups: [], at: later))
        XCTAssertEqual(Set(state.seen.keys), ["kept", "new"])
    }

    func testChangesAreTold() async throws {
        let queue = SummaryQueue(file: try place())
        let seen = Guarded(0)
        let reader = Task { [changes = queue.changes] in
            for await _ in changes { seen.with { $0 += 1 } }
        }
        try await eventually("the first is told") { seen.with { $0 } == 1 }
        try await add(1, to: queue)
        try await eventually("a change is told") { seen.with { $0 } == 2 }
        let isNew = try await queue.add(key: "key 1", notification: note(1))
        XCTAssertFalse(isNew)
        try await add(2, to: queue)
        try await eventually("and the next, but not what changed nothing") { seen.with { $0 } == 3 }
        reader.cancel()
    }

    func testAnySortOfTextSurvives() async throws {
        let file = try place()
        let wild = NotificationText(app: "App\"}\n{", title: "😀 عربي", text: "a\nb\u{0}c\"'\\%_\r\u{2028}", time: "")
        let queue = SummaryQueue(file: file)
        try await queue.add(key: "k\ney", notification: wild)
        _ = try await queue.drain(limit: 1) { _ in Outcome(text: "it's\n") }
        let back = try await SummaryQueue(file: file).history()
        XCTAssertEqual(back.map(\.notifications), [[wild]])
        XCTAssertEqual(back.map(\.text), ["it's\n"])
    }

    func testAFolderThatCannotBeWrittenIsNamed() async throws {
        let file = try Fixture.folder(for: self).appendingPathComponent("file")
        try Data().write(to: file)
        let queue = SummaryQueue(file: file.appendingPathComponent("queue"))
        let error = await failure(of: try await queue.waiting())
        guard case .io(let text)? = error as? KingletError else { return XCTFail("\(String(describing: error))") }
        XCTAssertTrue(text.contains(file.path), text)
    }
}

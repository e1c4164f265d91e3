import XCTest

@testable import Kinglet

/// A queue and a model.
final class SummarizerTests: XCTestCase {
    private func queue(_ count: Int) async throws -> SummaryQueue {
        let queue = SummaryQueue(file: try Fixture.folder(for: self).appendingPathComponent("queue"))
        for number in 0..<count {
            let text = NotificationText(app: "App \(number % 2)", title: "Anna", text: "Message number \(number)")
            try await queue.add(key: "key \(number)", notification: text)
        }
        return queue
    }

    func testADigestOfAQueueIsKeptThere() async throws {
        let (engine, queue) = (try await Fixture.engine(for: self), try await queue(4))
        let told = Guarded<[Event]>([])
        let made = try await Summarizer(engine).drain(queue) { event in told.with { $0.append(event) } }
        XCTAssertEqual(made?.notifications.count, 4)
        XCTAssertEqual(made?.groups.map(\.app).sorted(), ["App 0", "App 1"])
        XCTAssertEqual(made?.groups.map(\.count), [2, 2])
        XCTAssertFalse(told.with { $0.pieces.isEmpty })
        XCTAssertTrue(told.with { $0.outcomes.isEmpty }, "the end is the digest")
        let history = try await queue.history()
        XCTAssertEqual(history.map(\.id), [made?.id])
    }

    func testMoreThanADigestHoldsIsForTheNext() async throws {
        let queue = try await queue(Summarizer.mostAtOnce + 1)
        let summarizer = Summarizer { notifications in
            EventStream {
                AsyncThrowingStream { reader in
                    reader.yield(.done(Outcome(text: "\(notifications.count)")))
                    reader.finish()
                }
            }
        }
        let made = try await summarizer.drainAll(queue)
        XCTAssertEqual(made, 2)
        let history = try await queue.history()
        XCTAssertEqual(history.map(\.text), ["1", "\(Summarizer.mostAtOnce)"])
    }

    func testADigestThatIsCancelledLeavesAllAsItWas() async throws {
        let (engine, queue) = (try await Fixture.engine(for: self), try await queue(20))
        let begun = Guarded(false)
        let drain = Task { try await Summarizer(engine).drain(queue) { _ in begun.with { $0 = true } } }
        try await eventually("it has begun") { begun.with { $0 } }
        drain.cancel()
        let error = await failure(of: try await drain.value)
        XCTAssertTrue(error is CancellationError, "\(String(describing: error))")
        var waiting = try await queue.waiting()
        XCTAssertEqual(waiting.count, 20)
        let made = try await Summarizer(engine).drain(queue)
        XCTAssertEqual(made?.notifications.count, 20)
        waiting = try await queue.waiting()
        XCTAssertEqual(waiting, [])
    }

    func testAModelThatIsClosedOnTheWayLosesNothing() async throws {
        let engine = try await Kinglet.open(Fixture.cpu, in: FakePhone())
        let queue = try await queue(20)
        let begun = Guarded(false)
        let drain = Task { try await Summarizer(engine).drain(queue) { _ in begun.with { $0 = true } } }
        try await eventually("it has begun") { begun.with { $0 } }
        await engine.close()
        let error = await failure(of: try await drain.value)
        XCTAssertTrue(error is KingletError, "\(String(describing: error))")
        let waiting = try await queue.waiting()
        XCTAssertEqual(waiting.count, 20)
    }

    func testARunInTheBackgroundOpensAndClosesTheModel() async throws {
        let queue = try await queue(3)
        let opened = Guarded<[Engine]>([])
        let run = DigestRun(queue: queue) {
            let engine = try await Kinglet.open(Fixture.cpu, in: FakePhone(isVisible: false))
            opened.with { $0.append(engine) }
            return engine
        }
        let made = try await run.run()
        XCTAssertEqual(made.map(\.notifications.count), [3])
        XCTAssertEqual(opened.with { $0.map(\.state) }, [.closed])
        let none = try await run.run()
        XCTAssertEqual(none, [])
        XCTAssertEqual(opened.with { $0.count }, 1, "nothing waited, and yet the model was opened")
    }

    func testARunWhoseTimeIsUpClosesTheModelToo() async throws {
        let queue = try await queue(40)
        let opened = Guarded<[Engine]>([])
        let run = Task {
            try await DigestRun(queue: queue) {
                let engine = try await Kinglet.open(Fixture.cpu, in: FakePhone())
                opened.with { $0.append(engine) }
                return engine
            }.run()
        }
        try await eventually("the model works") { opened.with { $0.first?.state == .working } }
        run.cancel()
        let error = await failure(of: try await run.value)
        XCTAssertTrue(error is CancellationError, "\(String(describing: error))")
        XCTAssertEqual(opened.with { $0.map(\.state) }, [.closed])
        let waiting = try await queue.waiting()
        XCTAssertEqual(waiting.count, 40)
    }
}

import Kinglet
import XCTest

@testable import SampleCore

@MainActor
final class DigestTests: XCTestCase, @unchecked Sendable {
    private let notification = Delivered(
        id: "1",
        thread: "Family",
        title: "Anna",
        body: "I am late.",
        date: Date(timeIntervalSince1970: 1_777_900_000)
    )

    /// Watches, until the test is over.
    private func watched(_ parts: Parts) -> DigestModel {
        let model = DigestModel(parts: parts)
        let task = Task { await model.watch() }
        addTeardownBlock { task.cancel() }
        return model
    }

    func testWhatTheSystemHasWaits() async throws {
        let model = watched(.fake(inbox: FakeInbox(), notifications: FakeNotifications([notification])))
        try await until("it waits") { model.waiting.count == 1 }
        let text = NotificationText(app: "Family", title: "Anna", text: "I am late.", time: "2026-05-04T13:06:40Z")
        XCTAssertEqual(model.waiting, [text])
    }

    func testNothingIsTakenInTwice() async throws {
        let inbox = FakeInbox()
        let model = watched(.fake(inbox: inbox, notifications: FakeNotifications([notification, notification])))
        await model.collect()
        await model.collect()
        let waiting = await inbox.waiting()
        XCTAssertEqual(waiting.count, 1)
    }

    func testAReplacedNotificationIsAnotherOne() async throws {
        var later = notification
        later.date += 60
        later.body = "I am here."
        let inbox = FakeInbox()
        let model = DigestModel(parts: .fake(inbox: inbox, notifications: FakeNotifications([notification, later])))
        await model.collect()
        let waiting = await inbox.waiting()
        XCTAssertEqual(waiting.map(\.text), ["I am late.", "I am here."])
    }

    func testWithoutAThreadItIsTheAppsOwn() async {
        var plain = notification
        plain.thread = ""
        XCTAssertEqual(plain.text.app, Phrase.appName.text)
    }

    func testDemoNotificationsWait() async throws {
        let model = watched(.fake(inbox: FakeInbox()))
        await model.postDemo()
        try await until("they wait") { model.waiting.count == Demo.notifications().count }
        await model.postDemo()
        try await until("new ones wait too") { model.waiting.count == 2 * Demo.notifications().count }
        XCTAssertNil(model.problem)
    }

    func testARefusalIsSaid() async throws {
        let model = watched(.fake(inbox: FakeInbox(), notifications: FakeNotifications(refused: true)))
        await model.postDemo()
        XCTAssertEqual(model.problem, .said(Phrase.notificationsRefused.text))
        model.dismiss()
        XCTAssertNil(model.problem)
    }

    func testADigestStreamsAndGoesIntoHistory() async throws {
        let model = watched(.fake())
        try await until("they wait") { model.waiting.count == 2 }
        model.make()
        try await until("it is kept") { model.history.count == 1 }
        try await until("it has ended") { !model.answer.live.running }
        XCTAssertEqual(model.answer.live.text, Believable.summary)
        XCTAssertEqual(model.history.first?.text, Believable.summary)
        XCTAssertEqual(model.history.first?.notifications, Believable.notifications)
        XCTAssertEqual(model.waiting, [])
    }

    func testAStoppedDigestLosesNothing() async throws {
        let inbox = FakeInbox(waiting: Believable.notifications)
        let assistant = FakeAssistant(events: [.text("Half")], endless: true, inbox: inbox)
        let model = watched(.fake(assistant: assistant, inbox: inbox))
        try await until("they wait") { model.waiting.count == 2 }
        model.make()
        try await until("some text") { model.answer.live.text == "Half" }
        model.stop()
        try await until("the stream is left") { await assistant.calls.left == 1 }
        XCTAssertEqual(model.waiting.count, 2)
        XCTAssertEqual(model.history, [])
    }

    func testWithoutAModelThereIsAWayOut() async throws {
        let inbox = FakeInbox(waiting: Believable.notifications)
        let model = watched(.fake(assistant: FakeAssistant(failure: NoModelError(), inbox: inbox), inbox: inbox))
        model.make()
        try await until("it has ended") { !model.answer.live.running }
        XCTAssertEqual(model.answer.live.problem, .noModel)
    }

    func testADigestCanBeDeleted() async throws {
        let digests = [1, 2].map { Believable.digest(id: $0, "Digest \($0)", of: Believable.notifications) }
        let model = watched(.fake(inbox: FakeInbox(history: digests)))
        try await until("both are there") { model.history.count == 2 }
        await model.delete(digests[0])
        try await until("one is gone") { model.history.count == 1 }
        XCTAssertEqual(model.history.first?.text, "Digest 2")
    }

    func testClearingLeavesNothing() async throws {
        let notifications = FakeNotifications([notification])
        let history = [Believable.digest(id: 1, "Digest", of: [])]
        let parts = Parts.fake(inbox: FakeInbox(history: history), notifications: notifications)
        _ = try parts.reports.write("<p>a report</p>")
        let model = watched(parts)
        try await until("all is there") { model.history.count == 1 && model.waiting.count == 1 }
        await model.clear()
        try await until("all is gone") { model.history.isEmpty && model.waiting.isEmpty }
        await model.collect()
        let waiting = try await parts.inbox.waiting()
        XCTAssertEqual(waiting, [])
        XCTAssertNil(parts.reports.last)
    }

    func testAFullDiskIsSaid() async throws {
        let inbox = FakeInbox()
        await inbox.fail(with: TestError())
        let model = watched(.fake(inbox: inbox, notifications: FakeNotifications([notification])))
        await model.collect()
        XCTAssertEqual(model.problem, .said("the printer is on fire; fetch water"))
    }

    func testTheBackgroundSwitchIsKept() async throws {
        let system = FakeBackgroundDigests()
        let parts = Parts.fake(background: system)
        let model = watched(parts)
        XCTAssertFalse(model.background)
        await model.setBackground(true)
        XCTAssertTrue(model.background)
        let (on, kept) = (await system.on, await parts.choices.now.backgroundDigests)
        XCTAssertTrue(on)
        XCTAssertTrue(kept)
        let again = watched(parts)
        try await until("it is on still") { again.background }
        again.background = false
        try await until("it is off") { await !system.on }
    }

    func testTheSystemIsAskedAgainWhenTheAppIsLeft() async throws {
        let system = FakeBackgroundDigests()
        let model = watched(.fake(background: system))
        await model.leave()
        let asked = await system.times
        XCTAssertEqual(asked, 0)
        await model.setBackground(true)
        await model.leave()
        let again = await system.times
        XCTAssertEqual(again, 2)
    }

    func testWhereTheSystemRefusesTheSwitchStaysOff() async throws {
        let model = watched(.fake(background: FakeBackgroundDigests(failure: TestError())))
        await model.setBackground(true)
        XCTAssertFalse(model.background)
        XCTAssertEqual(model.problem, .said("the printer is on fire; fetch water"))
    }
}

import Kinglet
import XCTest

@testable import SampleCore

final class ProblemTests: XCTestCase {
    func testTheLibrarysOwnWordsAreSaid() {
        let error = KingletError.gguf("note.txt is no GGUF file; choose another one")
        XCTAssertEqual(Problem(error), .said("note.txt is no GGUF file; choose another one"))
    }

    func testNoModelIsItsOwnCase() {
        XCTAssertEqual(Problem(NoModelError()), .noModel)
    }

    func testNoRoomSaysHowMuch() {
        XCTAssertEqual(Problem(NoRoomError(needed: 3, free: 2)), .noRoom(needed: 3, free: 2))
    }

    func testLeavingIsNoProblem() {
        XCTAssertNil(Problem(CancellationError()))
    }

    func testAnyOtherErrorSaysSomething() {
        struct Plain: Error {}
        guard case .said(let words) = Problem(Plain()) else { return XCTFail("nothing is said") }
        XCTAssertFalse(words.isEmpty)
    }
}

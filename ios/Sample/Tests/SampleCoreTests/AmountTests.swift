import XCTest

@testable import SampleCore

final class AmountTests: XCTestCase {
    func testAHashIsReadInGroups() {
        XCTAssertEqual(Amount.hash("0123456789abcdef0"), "01234567 89abcdef 0")
        XCTAssertEqual(Amount.hash(""), "")
    }

    func testParametersAreShort() {
        XCTAssertEqual(Amount.parameters(1_234_000_000), "1.2 B")
        XCTAssertEqual(Amount.parameters(135_000_000), "135 M")
        XCTAssertEqual(Amount.parameters(12), "12")
    }

    func testSpeedHasDigitsThatMeanSomething() {
        XCTAssertEqual(Amount.speed(9.26), "9.3")
        XCTAssertEqual(Amount.speed(92.6), "93")
    }
}

import XCTest

@testable import Kinglet

final class VersionTests: XCTestCase {
    func testTheVersionIsANumber() {
        XCTAssertNotNil(Kinglet.version.range(of: #"^\d+\.\d+\.\d+"#, options: .regularExpression))
    }
}

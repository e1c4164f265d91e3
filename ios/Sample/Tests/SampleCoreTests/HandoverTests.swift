import XCTest

@testable import SampleCore

final class HandoverTests: XCTestCase {
    func testATextIsTakenOnce() throws {
        let folder = try TestFolder()
        let place = folder.url.appendingPathComponent("shared")
        try Handover(folder: place).put("first")
        try Handover(folder: place).put("second 漢字")
        XCTAssertEqual(Handover(folder: place).take(), "second 漢字")
        XCTAssertNil(Handover(folder: place).take())
    }
}

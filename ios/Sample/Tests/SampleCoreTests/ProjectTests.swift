import Foundation
import XCTest

@testable import SampleCore

/// What is not Swift, and what the app must not do.
final class ProjectTests: XCTestCase {
    private func list(_ path: String) throws -> [String: Any] {
        let data = try Data(contentsOf: Repository.sample.appendingPathComponent(path))
        return try XCTUnwrap(PropertyListSerialization.propertyList(from: data, format: nil) as? [String: Any], path)
    }

    private func text(_ path: String) throws -> String {
        try String(contentsOf: Repository.sample.appendingPathComponent(path), encoding: .utf8)
    }

    private func code() throws -> [(file: String, code: String)] {
        try ["App", "ShareExtension", "Sources"].flatMap { try Repository.files(in: $0, ending: ".swift") }
            .map { ($0.lastPathComponent, try String(contentsOf: $0, encoding: .utf8)) }
    }

    func testTheAppMayUseMoreMemory() throws {
        let rights = try list("App/KingletSample.entitlements")
        XCTAssertEqual(rights["com.apple.developer.kernel.increased-memory-limit"] as? Bool, true)
    }

    func testAppAndExtensionShareOneGroup() throws {
        for file in ["App/KingletSample.entitlements", "ShareExtension/KingletShare.entitlements"] {
            let groups = try list(file)["com.apple.security.application-groups"] as? [String]
            XCTAssertEqual(groups, [Handover.group], file)
        }
    }

    func testTheBackgroundTaskIsAnnouncedByItsName() throws {
        let info = try list("App/Info.plist")
        let names = try XCTUnwrap(info["BGTaskSchedulerPermittedIdentifiers"] as? [String])
        XCTAssertEqual(names.count, 1)
        XCTAssertTrue(try text("App/System/SystemBackgroundDigests.swift").contains("\"\(names[0])\""))
        XCTAssertEqual(info["UIBackgroundModes"] as? [String], ["processing"])
    }

    func testTheExtensionTakesTexts() throws {
        let part = try XCTUnwrap(list("ShareExtension/Info.plist")["NSExtension"] as? [String: Any])
        XCTAssertEqual(part["NSExtensionPointIdentifier"] as? String, "com.apple.share-services")
        let attributes = part["NSExtensionAttributes"] as? [String: Any]
        let rule = attributes?["NSExtensionActivationRule"] as? [String: Any]
        XCTAssertEqual(rule?["NSExtensionActivationSupportsText"] as? Bool, true)
        let name = try XCTUnwrap(part["NSExtensionPrincipalClass"] as? String).split(separator: ".").last ?? ""
        XCTAssertTrue(try text("ShareExtension/ShareViewController.swift").contains("class \(name):"))
    }

    func testThePrivacyManifestNamesWhatIsUsed() throws {
        let privacy = try list("Resources/PrivacyInfo.xcprivacy")
        XCTAssertEqual(privacy["NSPrivacyTracking"] as? Bool, false)
        XCTAssertEqual((privacy["NSPrivacyCollectedDataTypes"] as? [Any])?.count, 0)
        let used = try XCTUnwrap(privacy["NSPrivacyAccessedAPITypes"] as? [[String: Any]])
        XCTAssertEqual(
            used.compactMap { $0["NSPrivacyAccessedAPIType"] as? String },
            ["NSPrivacyAccessedAPICategoryDiskSpace", "NSPrivacyAccessedAPICategoryFileTimestamp"]
        )
        // These would need categories of their own.
        for (file, code) in try code() {
            for name in ["UserDefaults", "@AppStorage", "systemUptime", "mach_absolute_time", "activeInputModes"] {
                XCTAssertFalse(code.contains(name), "\(file): \(name)")
            }
        }
    }

    func testThereIsNoNetworking() throws {
        let code = try code()
        XCTAssertGreaterThan(code.count, 40)
        let names = ["URLSession", "URLRequest", "import Network", "CFSocket", "NWConnection", "WebKit", "https:"]
        for (file, code) in code {
            for name in names { XCTAssertFalse(code.contains(name), "\(file): \(name)") }
        }
        XCTAssertNil(try list("App/Info.plist")["NSAppTransportSecurity"])
    }

    func testLettersGrowAndColoursFollowTheSystem() throws {
        for file in try Repository.files(in: "App", ending: ".swift")
            + Repository.files(in: "ShareExtension", ending: ".swift")
        {
            let code = try String(contentsOf: file, encoding: .utf8)
            for name in ["system(size:", "fixedSize", "Color(red:", "UIColor(", ".black", ".white", "frame(height:"] {
                XCTAssertFalse(code.contains(name), "\(file.lastPathComponent): \(name)")
            }
        }
    }

    func testTheProjectNamesFilesThatAreThere() throws {
        let project = try text("project.yml")
        for path in [
            "App", "ShareExtension", "Resources", "Sources/SampleCore", "Tests/SampleCoreTests", "App/Info.plist",
            "App/KingletSample.entitlements", "ShareExtension/Info.plist", "ShareExtension/KingletShare.entitlements",
        ] {
            XCTAssertTrue(project.contains(path), path)
            let file = Repository.sample.appendingPathComponent(path)
            XCTAssertTrue(FileManager.default.fileExists(atPath: file.path), path)
        }
    }
}

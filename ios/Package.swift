// swift-tools-version: 6.0
import Foundation
import PackageDescription

/// The library of a release, for those who did not build it: where it lies, and the checksum of what lies there.
struct Release {
    let url: String
    let checksum: String
}

/// No version was released yet. A release writes its own here.
let release: Release? = nil

let folder = Context.packageDirectory

#if os(Linux)
    /// What `cargo build` made, or what `KINGLET_LIBRARY` says.
    let library = Context.environment["KINGLET_LIBRARY"] ?? "\(folder)/../target/debug"
    if !FileManager.default.fileExists(atPath: "\(library)/libkinglet_ffi.so") {
        fatalError("libkinglet_ffi.so is not in \(library); run cargo build -p kinglet-ffi, or set KINGLET_LIBRARY")
    }
    let core = Target.systemLibrary(name: "KingletFFI")
    let linking: [LinkerSetting] = [.unsafeFlags(["-L\(library)", "-Xlinker", "-rpath=\(library)"])]
#else
    /// What `cargo xtask ios` made beside this file goes before a release.
    func binary() -> Target {
        if FileManager.default.fileExists(atPath: "\(folder)/Kinglet.xcframework") {
            return .binaryTarget(name: "KingletFFI", path: "Kinglet.xcframework")
        }
        guard let release else {
            fatalError("Kinglet.xcframework is not in \(folder), and no version was released yet; run cargo xtask ios")
        }
        return .binaryTarget(name: "KingletFFI", url: release.url, checksum: release.checksum)
    }
    let core = binary()
    // What the core leans on. Swift finds its own libraries by itself, but not those of a static one.
    let linking: [LinkerSetting] = [
        .linkedFramework("CoreFoundation"),
        .linkedFramework("CoreGraphics"),
        .linkedFramework("Foundation"),
        .linkedFramework("Metal"),
        .linkedFramework("QuartzCore"),
        .linkedLibrary("iconv"),
    ]
#endif

let package = Package(
    name: "Kinglet",
    platforms: [.iOS(.v16), .macOS(.v13)],
    products: [.library(name: "Kinglet", targets: ["Kinglet"])],
    targets: [
        core,
        // Generated. In Swift 5 mode, for the generator does not write Swift 6 yet.
        .target(
            name: "KingletBindings",
            dependencies: ["KingletFFI"],
            swiftSettings: [.swiftLanguageMode(.v5)],
            linkerSettings: linking
        ),
        .target(name: "Kinglet", dependencies: ["KingletBindings"], resources: [.process("PrivacyInfo.xcprivacy")]),
        .testTarget(name: "KingletTests", dependencies: ["Kinglet", "KingletBindings"]),
    ]
)

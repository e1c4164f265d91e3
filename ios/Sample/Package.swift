// swift-tools-version: 6.0
import PackageDescription

let package = Package(
    name: "KingletSample",
    defaultLocalization: "en",
    platforms: [.iOS(.v17), .macOS(.v14)],
    products: [.library(name: "SampleCore", targets: ["SampleCore"])],
    dependencies: [.package(path: "..")],
    targets: [
        .target(name: "SampleCore", dependencies: [.product(name: "Kinglet", package: "ios")]),
        .testTarget(
            name: "SampleCoreTests",
            dependencies: ["SampleCore", .product(name: "Kinglet", package: "ios")]
        ),
    ],
    swiftLanguageModes: [.v6]
)

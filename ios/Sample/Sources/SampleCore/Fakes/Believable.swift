import Foundation
import Kinglet

/// What previews and tests show. All of it is made up.
public enum Believable {
    /// Of some text.
    public static let summary = "The train is late; dinner moves to half past seven."

    /// From two apps.
    public static let notifications = [
        NotificationText(
            app: "Family", title: "Anna", text: "I will be home at half past seven.", time: "2026-05-04T17:00:00Z"),
        NotificationText(
            app: "Work", title: "Meeting moved", text: "It is on Thursday at 10 now.", time: "2026-05-04T17:05:00Z"),
    ]

    /// A small model, which fits.
    public static let model = StoredModel(
        file: URL(fileURLWithPath: "/models/small.gguf"),
        bytes: 98_362_432,
        sha256: String(repeating: "0123456789abcdef", count: 4)
    )

    /// A large one, which does not.
    public static let tooLarge = StoredModel(
        file: URL(fileURLWithPath: "/models/large.gguf"),
        bytes: 8_000_000_000,
        sha256: String(repeating: "fedcba9876543210", count: 4)
    )

    /// Why the large one does not fit.
    public static let obstacle = "large.gguf needs 9.1 GB, and the app may use 3.0 GB; take a smaller model"

    static let info = ModelInfo(
        name: "Small",
        architecture: "llama",
        parameters: 134_515_008,
        fileBytes: 98_362_432,
        layers: 30,
        width: 576,
        vocabulary: 49_152,
        trainedContext: 8192,
        hasChatTemplate: true
    )

    static let plan = MemoryPlan(weights: 110_000_000, keyValue: 94_000_000, scratch: 12_000_000, total: 216_000_000)

    static let device = DeviceInfo(kind: "gpu", detail: "A17, tier 2", reason: "it was found to be right")

    static let gpu = GPUInfo(
        name: "A17",
        driver: "Metal 3.2",
        backend: "metal",
        kind: "integrated",
        tier: 2,
        features: ["f16", "subgroups"],
        maximumBindingBytes: 1 << 30,
        isUsable: true,
        isAutomatic: true,
        reason: nil
    )

    static let benchmark = Benchmark(
        promptTokensPerSecond: 812,
        tokensPerSecond: 61.5,
        promptSamples: [812],
        samples: [61.5],
        device: "gpu"
    )

    static let qualification = Qualification(
        fitness: .replaced,
        replaced: [Replacement(node: "blk.0.ffn_down", from: "matmul-tile", to: "matmul", why: "zeros")],
        adapter: "A17",
        driver: "Metal 3.2"
    )

    static let same = Divergence(verdict: .same, nodes: 423, html: "<p>the same</p>")

    static let stats = Stats(promptTokens: 120, tokens: 24, tokensPerSecond: 58.2, device: "gpu", stop: .endOfText)

    static func divergence(_ fault: String) -> Divergence {
        Divergence(
            verdict: .broken, firstBad: "blk.0.ffn_down", kindOfFault: "zeros", nodes: 12, html: "<p>\(fault)</p>")
    }

    static func outcome(_ text: String) -> Outcome {
        Outcome(text: text, stats: stats)
    }

    static func digest(id: Int, _ text: String, of notifications: [NotificationText]) -> StoredDigest {
        var groups: [DigestGroup] = []
        for notification in notifications where !groups.contains(where: { $0.app == notification.app }) {
            let count = notifications.filter { $0.app == notification.app }.count
            groups.append(DigestGroup(app: notification.app, count: count, summary: notification.text))
        }
        return StoredDigest(
            id: id,
            madeAt: Date(timeIntervalSince1970: 1_777_900_000),
            text: text,
            groups: groups,
            notifications: notifications
        )
    }
}

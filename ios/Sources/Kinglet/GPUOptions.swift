import Foundation

/// How a GPU is used, where one is. What is left out is as the core thinks best.
public struct GPUOptions: Sendable, Hashable {
    /// A part of the adapter's name; by default the best adapter is taken.
    public var adapter: String?
    /// What kernels may lean on, 0 to 2; the adapter's own by default.
    public var tier: Int?
    /// Kernels, by their names or beginnings of names, that something plainer is run for.
    public var deny: [String]
    /// Whether the GPU must show that it is right before ``Device/automatic`` takes it; ``Qualify/once`` by default.
    public var qualify: Qualify?
    /// Where compiled kernels, and what the GPU was found to be good for, are kept; by default in the app's caches.
    public var cacheFolder: URL?
    /// The device is lost after so many submissions, to try out what an app does then.
    public var loseAfter: Int?
    /// A kernel that is wrong, as in `zeros@blk.3.ffn_down`, to try out what an app does then. An error in a library that
    /// was built for users.
    public var inject: String?

    /// GPU options; all may be left out.
    public init(
        adapter: String? = nil,
        tier: Int? = nil,
        deny: [String] = [],
        qualify: Qualify? = nil,
        cacheFolder: URL? = nil,
        loseAfter: Int? = nil,
        inject: String? = nil
    ) {
        self.adapter = adapter
        self.tier = tier
        self.deny = deny
        self.qualify = qualify
        self.cacheFolder = cacheFolder
        self.loseAfter = loseAfter
        self.inject = inject
    }
}

/// When a GPU has to show that it is right.
public enum Qualify: Sendable, Hashable, Codable, CaseIterable {
    /// At its first use, and after its driver, the kernels or the model changed.
    case once
    /// Now, whatever is known.
    case again
    /// Not at all.
    case never
}

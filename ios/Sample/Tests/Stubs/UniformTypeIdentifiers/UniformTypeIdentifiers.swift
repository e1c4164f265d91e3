public struct UTType: Sendable, Hashable {
    public static let data = UTType()
    init() {}
    public init?(filenameExtension: String) { nil }
}

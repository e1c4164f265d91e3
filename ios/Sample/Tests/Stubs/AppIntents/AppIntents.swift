/// In Foundation on Apple's systems.
public struct LocalizedStringResource: Sendable, ExpressibleByStringLiteral {
    public init(stringLiteral value: String) {}
}

public struct IntentDescription: Sendable, ExpressibleByStringLiteral {
    public init(_ description: LocalizedStringResource) {}
    public init(stringLiteral value: String) {}
}

public protocol CustomLocalizedStringResourceConvertible {
    var localizedStringResource: LocalizedStringResource { get }
}

public protocol IntentResult {}

public protocol ReturnsValue<Value> {
    associatedtype Value
}

public struct IntentResultContainer<Value: Sendable>: IntentResult, ReturnsValue, Sendable {}

extension IntentResult {
    public static func result<Value: Sendable>(value: Value) -> Self where Self == IntentResultContainer<Value> {
        Self()
    }
}

public protocol AppIntent: Sendable {
    associatedtype Result: IntentResult
    static var title: LocalizedStringResource { get }
    static var description: IntentDescription? { get }
    init()
    func perform() async throws -> Result
}

@propertyWrapper
public final class IntentParameter<Value: Sendable>: @unchecked Sendable {
    public init(title: LocalizedStringResource) {}
    public var wrappedValue: Value {
        get { fatalError("a stub does not run") }
        set {}
    }
}

extension AppIntent {
    public typealias Parameter = IntentParameter
}

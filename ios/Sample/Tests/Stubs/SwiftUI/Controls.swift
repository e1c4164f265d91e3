import Foundation

public struct LocalizedStringKey: ExpressibleByStringInterpolation {
    public init(stringLiteral value: String) {}
}

public struct Text: View {
    public init(_ key: LocalizedStringKey) {}
    @_disfavoredOverload
    public init<S: StringProtocol>(_ content: S) {}
    public var body: Never { fatalError("a stub does not run") }
}

public struct Label: View {
    @_disfavoredOverload
    public init<S: StringProtocol>(_ title: S, systemImage: String) {}
    public init(_ key: LocalizedStringKey, systemImage: String) {}
    public var body: Never { fatalError("a stub does not run") }
}

public struct ButtonRole: Sendable, Equatable {
    public static let destructive = ButtonRole()
    public static let cancel = ButtonRole()
}

public struct Button<Content: View>: View {
    public init(
        role: ButtonRole?,
        action: @escaping @MainActor () -> Void,
        @ViewBuilder label: () -> Content
    ) {}
    public var body: Never { fatalError("a stub does not run") }
}

public struct ShareLink<Content: View>: View {
    public init(item: String, @ViewBuilder label: () -> Content) {}
    public init(item: URL, @ViewBuilder label: () -> Content) {}
    public var body: Never { fatalError("a stub does not run") }
}

public struct Toggle: View {
    @_disfavoredOverload
    public init<S: StringProtocol>(_ title: S, isOn: Binding<Bool>) {}
    public var body: Never { fatalError("a stub does not run") }
}

public struct Picker<Selection: Hashable, Content: View>: View {
    @_disfavoredOverload
    public init<S: StringProtocol>(_ title: S, selection: Binding<Selection>, @ViewBuilder content: () -> Content) {}
    public var body: Never { fatalError("a stub does not run") }
}

public enum Axis {
    case horizontal, vertical
}

public struct TextField: View {
    @_disfavoredOverload
    public init<S: StringProtocol>(_ title: S, text: Binding<String>) {}
    @_disfavoredOverload
    public init<S: StringProtocol>(_ title: S, text: Binding<String>, axis: Axis) {}
    public var body: Never { fatalError("a stub does not run") }
}

public struct ProgressView<Content: View>: View {
    public init<V: BinaryFloatingPoint>(value: V?, total: V = 1) where Content == EmptyView {}
    public init<V: BinaryFloatingPoint>(value: V?, total: V = 1, @ViewBuilder label: () -> Content) {}
    public var body: Never { fatalError("a stub does not run") }
}

public struct LabeledContent: View {
    @_disfavoredOverload
    public init<Title: StringProtocol, Value: StringProtocol>(_ title: Title, value: Value) {}
    public var body: Never { fatalError("a stub does not run") }
}

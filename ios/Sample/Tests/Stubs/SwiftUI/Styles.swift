public protocol ShapeStyle: Sendable {}

public struct Color: ShapeStyle, View {
    public nonisolated static let red = Color()
    public nonisolated static let green = Color()
    public nonisolated static let primary = Color()
    nonisolated init() {}
    public var body: Never { fatalError("a stub does not run") }
}

public struct HierarchicalShapeStyle: ShapeStyle {}

extension ShapeStyle where Self == HierarchicalShapeStyle {
    public static var secondary: HierarchicalShapeStyle { HierarchicalShapeStyle() }
}

extension ShapeStyle where Self == Color {
    public static var red: Color { Color() }
    public static var green: Color { Color() }
}

public struct Font: Sendable {
    public static let headline = Font()
    public static let callout = Font()
    public static let caption = Font()
    public func monospaced() -> Font { self }
}

public protocol PrimitiveButtonStyle {}

public struct BorderedButtonStyle: PrimitiveButtonStyle {}

extension PrimitiveButtonStyle where Self == BorderedButtonStyle {
    public static var bordered: BorderedButtonStyle { BorderedButtonStyle() }
}

public protocol TextSelectability {}

public struct EnabledTextSelectability: TextSelectability {}

extension TextSelectability where Self == EnabledTextSelectability {
    public static var enabled: EnabledTextSelectability { EnabledTextSelectability() }
}

public struct AccessibilityChildBehavior: Sendable {
    public static let combine = AccessibilityChildBehavior()
}

public enum Visibility {
    case automatic, visible, hidden
}

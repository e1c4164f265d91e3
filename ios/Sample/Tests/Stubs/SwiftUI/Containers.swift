public struct HorizontalAlignment: Sendable {
    public static let leading = HorizontalAlignment()
}

public struct HStack<Content: View>: View {
    public init(@ViewBuilder content: () -> Content) {}
    public var body: Never { fatalError("a stub does not run") }
}

public struct VStack<Content: View>: View {
    public init(alignment: HorizontalAlignment, @ViewBuilder content: () -> Content) {}
    public var body: Never { fatalError("a stub does not run") }
}

public struct ViewThatFits<Content: View>: View {
    public init(@ViewBuilder content: () -> Content) {}
    public var body: Never { fatalError("a stub does not run") }
}

public struct List<Content: View>: View {
    public init(@ViewBuilder content: () -> Content) {}
    public var body: Never { fatalError("a stub does not run") }
}

public struct Form<Content: View>: View {
    public init(@ViewBuilder content: () -> Content) {}
    public var body: Never { fatalError("a stub does not run") }
}

public struct Section<Header: View, Content: View, Footer: View>: View {
    public init(@ViewBuilder content: () -> Content) where Header == EmptyView, Footer == EmptyView {}
    @_disfavoredOverload
    public init<S: StringProtocol>(_ title: S, @ViewBuilder content: () -> Content)
    where Header == Text, Footer == EmptyView {}
    public init(@ViewBuilder content: () -> Content, @ViewBuilder footer: () -> Footer) where Header == EmptyView {}
    public init(
        @ViewBuilder content: () -> Content,
        @ViewBuilder header: () -> Header,
        @ViewBuilder footer: () -> Footer
    ) {}
    public var body: Never { fatalError("a stub does not run") }
}

public struct ForEach<Data: RandomAccessCollection, ID: Hashable, Content: View>: View {
    public init(_ data: Data, id: KeyPath<Data.Element, ID>, @ViewBuilder content: @escaping (Data.Element) -> Content)
    {}
    public init(_ data: Data, @ViewBuilder content: @escaping (Data.Element) -> Content)
    where Data.Element: Identifiable, ID == Data.Element.ID {}
    public var body: Never { fatalError("a stub does not run") }
}

public struct TabView<Selection: Hashable, Content: View>: View {
    public init(selection: Binding<Selection>?, @ViewBuilder content: () -> Content) {}
    public var body: Never { fatalError("a stub does not run") }
}

public struct NavigationStack<Content: View>: View {
    public init(@ViewBuilder root: () -> Content) {}
    public var body: Never { fatalError("a stub does not run") }
}

public struct NavigationLink<Content: View>: View {
    public init<Value: Hashable>(value: Value?, @ViewBuilder label: () -> Content) {}
    public var body: Never { fatalError("a stub does not run") }
}

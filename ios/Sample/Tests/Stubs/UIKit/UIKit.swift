import Foundation
import SwiftUI

@MainActor
public final class UIPasteboard {
    public static let general = UIPasteboard()
    public var string: String?
}

@MainActor
open class UIView {
    public var frame: CGRect {
        get { .zero }
        set {}
    }
    public var bounds: CGRect { .zero }
    public var autoresizingMask: AutoresizingMask {
        get { [] }
        set {}
    }
    public func addSubview(_ view: UIView) {}
    public struct AutoresizingMask: OptionSet, Sendable {
        public static let flexibleWidth = AutoresizingMask(rawValue: 1)
        public static let flexibleHeight = AutoresizingMask(rawValue: 2)
        public let rawValue: UInt
        public init(rawValue: UInt) { self.rawValue = rawValue }
    }
}

@MainActor
open class UIViewController {
    public var view: UIView? { nil }
    public var extensionContext: NSExtensionContext? { nil }
    public init() {}
    open func viewDidLoad() {}
    public func addChild(_ child: UIViewController) {}
    public func didMove(toParent parent: UIViewController?) {}
}

public final class UIHostingController<Content: View>: UIViewController {
    public var rootView: Content
    public init(rootView: Content) {
        self.rootView = rootView
        super.init()
    }
}

/// In Foundation on Apple's systems.
public class NSExtensionContext: NSObject {
    public var inputItems: [Any] { [] }
    public func completeRequest(returningItems items: [Any]?) {}
}

/// In Foundation on Apple's systems.
public class NSExtensionItem: NSObject {
    public var attachments: [NSItemProvider]? { nil }
}

/// In Foundation on Apple's systems.
public class NSItemProvider: NSObject, @unchecked Sendable {
    public func canLoadObject(ofClass type: String.Type) -> Bool { false }
    public func loadObject(
        ofClass type: String.Type,
        completionHandler: @escaping @Sendable (String?, (any Error)?) -> Void
    ) -> Progress { Progress(totalUnitCount: 1) }
}

extension FileManager {
    /// In Foundation on Apple's systems.
    public func containerURL(forSecurityApplicationGroupIdentifier identifier: String) -> URL? { nil }
}

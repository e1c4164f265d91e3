import Foundation
import SampleCore
import SwiftUI
import UIKit

/// Hands a shared text to the app. A model has no room in an extension.
final class ShareViewController: UIViewController {
    override func viewDidLoad() {
        super.viewDidLoad()
        Task { show(await handOver()) }
    }

    /// What to say of it.
    private func handOver() async -> Phrase {
        guard let text = await text() else { return .sharedNothing }
        let shared = FileManager.default.containerURL(forSecurityApplicationGroupIdentifier: Handover.group)
        // Without the entitlement there is no such folder.
        guard let shared, (try? Handover(folder: shared).put(text)) != nil else { return .sharedFailed }
        return .sharedWhat
    }

    private func text() async -> String? {
        for case let item as NSExtensionItem in extensionContext?.inputItems ?? [] {
            for provider in item.attachments ?? [] where provider.canLoadObject(ofClass: String.self) {
                if let text = await load(provider), !text.isEmpty { return text }
            }
        }
        return nil
    }

    private func load(_ provider: NSItemProvider) async -> String? {
        await withCheckedContinuation { continuation in
            _ = provider.loadObject(ofClass: String.self) { text, _ in continuation.resume(returning: text) }
        }
    }

    private func show(_ phrase: Phrase) {
        let sheet = UIHostingController(
            rootView: SharedView(phrase: phrase) { [weak self] in
                self?.extensionContext?.completeRequest(returningItems: nil)
            }
        )
        guard let view, let inside = sheet.view else { return }
        addChild(sheet)
        inside.frame = view.bounds
        inside.autoresizingMask = [.flexibleWidth, .flexibleHeight]
        view.addSubview(inside)
        sheet.didMove(toParent: self)
    }
}

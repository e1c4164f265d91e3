import Kinglet
import SampleCore
import SwiftUI

/// Why a digest says what it says.
struct DigestDetail: View {
    let model: DigestModel
    let id: StoredDigest.ID
    @Environment(\.dismiss) private var dismiss

    var body: some View {
        List {
            if let digest = model.history.first(where: { $0.id == id }) {
                Section(digest.moment) {
                    Text(digest.text).textSelection(.enabled)
                    TextButtons(text: digest.text)
                    PhraseButton(.delete, image: "trash", role: .destructive) {
                        dismiss()
                        Task { await model.delete(digest) }
                    }
                }
                Section(Phrase.digestApps.text) {
                    ForEach(digest.groups, id: \.app) { Fact("\($0.app) · \($0.count.formatted())", $0.summary) }
                }
                Section(Phrase.digestMadeOf.text) {
                    ForEach(Array(digest.notifications.enumerated()), id: \.offset) {
                        NotificationRow(notification: $0.element)
                    }
                }
            }
        }
        .navigationTitle(Phrase.digestNow.text)
    }
}

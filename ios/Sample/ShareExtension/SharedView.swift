import SampleCore
import SwiftUI

/// What became of a shared text.
struct SharedView: View {
    let phrase: Phrase
    let close: @MainActor () -> Void

    var body: some View {
        NavigationStack {
            List {
                Text(phrase.text)
                Button(role: nil, action: close) { Label(Phrase.close.text, systemImage: "checkmark") }
            }
            .navigationTitle(phrase == .sharedWhat ? Phrase.sharedTitle.text : Phrase.appName.text)
        }
    }
}

import SampleCore
import SwiftUI

/// What can be done with a text. Large letters take a line each.
struct TextButtons: View {
    let text: String

    var body: some View {
        ViewThatFits {
            HStack { buttons }
            VStack(alignment: .leading) { buttons }
        }
        .buttonStyle(.bordered)
    }

    @ViewBuilder private var buttons: some View {
        PhraseButton(.copy, image: "doc.on.doc") { Clipboard.copy(text) }
        ShareLink(item: text) { Label(Phrase.share.text, systemImage: "square.and.arrow.up") }
    }
}

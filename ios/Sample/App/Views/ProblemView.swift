import SampleCore
import SwiftUI

/// What did not work, and the way out where there is one.
struct ProblemView: View {
    let problem: Problem
    var toModels: Action?
    var dismiss: Action?

    var body: some View {
        VStack(alignment: .leading) {
            Label(problem.words, systemImage: problem == .noModel ? "shippingbox" : "exclamationmark.triangle")
                .foregroundStyle(problem == .noModel ? .primary : Color.red)
                .textSelection(.enabled)
            if problem == .noModel, let toModels {
                PhraseButton(.toModels, image: "arrow.right", action: toModels)
            }
            if let dismiss {
                PhraseButton(.dismiss, image: "xmark", action: dismiss)
            }
        }
        .buttonStyle(.bordered)
    }
}

import SampleCore
import SwiftUI

/// The four screens.
struct RootView: View {
    private enum Place: String {
        case digest, text, diagnose, models
    }

    let parts: Parts
    @State private var digest: DigestModel
    @State private var text: TextModel
    @State private var diagnose: DiagnoseModel
    @State private var models: ModelsModel
    @SceneStorage("place") private var place = Place.digest
    @Environment(\.scenePhase) private var phase

    init(parts: Parts) {
        self.parts = parts
        _digest = State(initialValue: DigestModel(parts: parts))
        _text = State(initialValue: TextModel(parts: parts))
        _diagnose = State(initialValue: DiagnoseModel(parts: parts))
        _models = State(initialValue: ModelsModel(parts: parts))
    }

    var body: some View {
        TabView(selection: $place) {
            DigestScreen(model: digest, loading: parts.loading, toModels: toModels)
                .tabItem { Label(Phrase.placeDigest.text, systemImage: "tray.full") }
                .tag(Place.digest)
            TextScreen(model: text, loading: parts.loading, toModels: toModels)
                .tabItem { Label(Phrase.placeText.text, systemImage: "text.alignleft") }
                .tag(Place.text)
            DiagnoseScreen(model: diagnose, toModels: toModels)
                .tabItem { Label(Phrase.placeDiagnose.text, systemImage: "stethoscope") }
                .tag(Place.diagnose)
            ModelsScreen(model: models)
                .tabItem { Label(Phrase.placeModels.text, systemImage: "shippingbox") }
                .tag(Place.models)
        }
        .onChange(of: phase, initial: true) { _, phase in
            if phase == .active, text.takeShared() { place = .text }
            if phase == .background { Task { await digest.leave() } }
        }
    }

    private func toModels() {
        place = .models
    }
}

struct RootViewPreviews: PreviewProvider {
    static var previews: some View {
        RootView(parts: .fake())
    }
}

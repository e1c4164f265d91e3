import SampleCore
import SwiftUI
import UniformTypeIdentifiers

/// The models that the app has, and how to get one.
struct ModelsScreen: View {
    let model: ModelsModel
    @State private var picking = false

    var body: some View {
        NavigationStack {
            List {
                if let problem = model.problem {
                    Section { ProblemView(problem: problem, dismiss: model.dismiss) }
                }
                Section {
                    if let copied = model.copied {
                        Copying(copied: copied, stop: model.stopCopy)
                    } else {
                        PhraseButton(.add, image: "plus") { picking = true }
                    }
                } footer: {
                    Text(Phrase.modelsWhat.text)
                }
                Section(Phrase.placeModels.text) {
                    if model.entries.isEmpty { Quiet(Phrase.modelsNone.text) }
                    ForEach(model.entries) { entry in
                        NavigationLink(value: entry.id) { ModelRow(entry: entry) }
                    }
                }
            }
            .navigationTitle(Phrase.placeModels.text)
            .navigationDestination(for: StoredModel.ID.self) { ModelDetail(model: model, id: $0) }
            .refreshable { await model.look() }
        }
        .fileImporter(isPresented: $picking, allowedContentTypes: [UTType(filenameExtension: "gguf") ?? .data]) {
            picked in
            switch picked {
            case .success(let document): model.add(document)
            case .failure(let error): model.refused(error)
            }
        }
        .task { await model.look() }
    }
}

private struct Copying: View {
    let copied: Copied
    let stop: Action

    var body: some View {
        Working(
            progress: copied.total > 0 ? Double(copied.bytes) / Double(copied.total) : nil,
            says: Phrase.copying.text(Amount.bytes(copied.bytes), Amount.bytes(copied.total)),
            stop: stop
        )
    }
}

private struct ModelRow: View {
    let entry: ModelEntry

    var body: some View {
        VStack(alignment: .leading) {
            Text(entry.model.name).font(.headline)
            Quiet(entry.size)
            if entry.chosen { Label(Phrase.modelInUse.text, systemImage: "checkmark").font(.callout) }
            if let facts = entry.facts { FitLabel(facts: facts) }
        }
        .accessibilityElement(children: .combine)
    }
}

struct ModelsScreenPreviews: PreviewProvider {
    static var previews: some View {
        ModelsScreen(model: ModelsModel(parts: .fake()))
    }
}

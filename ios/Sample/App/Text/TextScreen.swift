import SampleCore
import SwiftUI

/// A text, what is to be done with it, and what came of it.
struct TextScreen: View {
    @Bindable var model: TextModel
    let loading: Loading
    let toModels: Action
    @SceneStorage("text") private var saved = ""

    var body: some View {
        NavigationStack {
            Form {
                Section {
                    TextField(Phrase.textInput.text, text: $model.form.input, axis: .vertical).lineLimit(4...12)
                } footer: {
                    Text(Phrase.textHint.text)
                }
                Section {
                    TextChoices(form: $model.form)
                    PhraseButton(.start, image: "play", action: model.run).disabled(!model.ready)
                }
                TextResult(model: model, loading: loading, toModels: toModels)
            }
            .navigationTitle(Phrase.placeText.text)
        }
        .onAppear(perform: restore)
        .onChange(of: model.saved) { _, now in saved = now }
        .announces(model.outcome?.text ?? "", when: model.answer.live.running)
        .onDisappear { model.stop() }
    }

    // What was just shared with the app goes before what was there last time.
    private func restore() {
        if model.form.input.isEmpty { model.restore(saved) }
    }
}

/// What to do, and how.
struct TextChoices: View {
    @Binding var form: TextForm

    var body: some View {
        Choice(title: .textTask, options: TextTask.allCases, label: { $0.label.text }, chosen: $form.task)
        switch form.task {
        case .summarize:
            Choice(title: .textStyle, options: StyleChoice.allCases, label: { $0.label.text }, chosen: $form.style)
        case .rewrite:
            Choice(title: .textTone, options: ToneChoice.allCases, label: { $0.label.text }, chosen: $form.tone)
        case .extract: Names(title: .fields, usual: .fieldsUsual, names: $form.fields)
        case .classify: Names(title: .labels, usual: .labelsUsual, names: $form.labels)
        case .reply: EmptyView()
        }
    }
}

private struct Names: View {
    let title: Phrase
    let usual: Phrase
    @Binding var names: String

    var body: some View {
        VStack(alignment: .leading) {
            Text(title.text).font(.caption).foregroundStyle(.secondary)
            TextField(usual.text, text: $names).accessibilityLabel(title.text)
        }
    }
}

struct TextScreenPreviews: PreviewProvider {
    static var previews: some View {
        TextScreen(model: TextModel(parts: .fake()), loading: Loading()) {}
    }
}

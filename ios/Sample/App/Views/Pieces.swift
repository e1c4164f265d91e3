import SampleCore
import SwiftUI

/// What a button does.
typealias Action = @MainActor () -> Void

/// Something said beside the matter.
struct Quiet: View {
    let text: String

    init(_ text: String) {
        self.text = text
    }

    var body: some View {
        Text(text).font(.callout).foregroundStyle(.secondary)
    }
}

/// A fact and its name. They are read out together.
struct Fact: View {
    let name: String
    let value: String

    init(_ name: Phrase, _ value: String) {
        self.init(name.text, value)
    }

    init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }

    var body: some View {
        VStack(alignment: .leading) {
            Text(name).font(.caption).foregroundStyle(.secondary)
            Text(value).textSelection(.enabled)
        }
        .accessibilityElement(children: .combine)
    }
}

/// A button that says a phrase.
struct PhraseButton: View {
    let phrase: Phrase
    let image: String
    let role: ButtonRole?
    let action: Action

    init(_ phrase: Phrase, image: String, role: ButtonRole? = nil, action: @escaping Action) {
        self.phrase = phrase
        self.image = image
        self.role = role
        self.action = action
    }

    var body: some View {
        Button(role: role, action: action) { Label(phrase.text, systemImage: image) }
    }
}

/// One of several.
struct Choice<Option: Hashable>: View {
    let title: Phrase
    let options: [Option]
    let label: (Option) -> String
    @Binding var chosen: Option

    var body: some View {
        Picker(title.text, selection: $chosen) {
            ForEach(options, id: \.self) { Text(label($0)).tag($0) }
        }
    }
}

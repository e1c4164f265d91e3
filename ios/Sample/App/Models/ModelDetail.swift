import Kinglet
import SampleCore
import SwiftUI

/// What a model is, what it needs, and why it does not fit if it does not.
struct ModelDetail: View {
    let model: ModelsModel
    let id: StoredModel.ID
    @State private var asking = false
    @Environment(\.dismiss) private var dismiss

    private var entry: ModelEntry? {
        model.entries.first { $0.id == id }
    }

    var body: some View {
        List {
            if let entry {
                if let problem = entry.problem { Section { ProblemView(problem: problem) } }
                if let facts = entry.facts { MemorySections(facts: facts) }
                FileSection(entry: entry)
                Section {
                    if !entry.chosen {
                        PhraseButton(.modelUse, image: "checkmark") { Task { await model.choose(entry.model) } }
                    }
                    PhraseButton(.delete, image: "trash", role: .destructive) { asking = true }
                }
            } else {
                Quiet(Phrase.modelGone.text)
            }
        }
        .navigationTitle(entry?.model.name ?? id)
        .confirmationDialog(Phrase.modelDeleteTitle.text, isPresented: $asking, titleVisibility: .visible) {
            PhraseButton(.delete, image: "trash", role: .destructive) { delete() }
        } message: {
            Text(Phrase.modelDeleteWhat.text(entry?.model.name ?? id))
        }
    }

    private func delete() {
        guard let entry else { return }
        dismiss()
        Task { await model.delete(entry.model) }
    }
}

private struct MemorySections: View {
    let facts: ModelFacts

    var body: some View {
        if let obstacle = facts.obstacle {
            Section(Phrase.memoryWhy.text) { ProblemView(problem: .said(obstacle)) }
        }
        Section(Phrase.memory.text) {
            FitLabel(facts: facts)
            MemoryBar(name: .memoryWeights, bytes: facts.plan.weights, of: facts.plan.total)
            MemoryBar(name: .memoryKeyValue, bytes: facts.plan.keyValue, of: facts.plan.total)
            MemoryBar(name: .memoryScratch, bytes: facts.plan.scratch, of: facts.plan.total)
            MemoryBar(name: .memoryTotal, bytes: facts.plan.total, of: facts.plan.total)
        }
    }
}

/// An amount, as long as its part of the whole.
private struct MemoryBar: View {
    let name: Phrase
    let bytes: Int
    let whole: Int

    init(name: Phrase, bytes: Int, of whole: Int) {
        self.name = name
        self.bytes = bytes
        self.whole = whole
    }

    var body: some View {
        VStack(alignment: .leading) {
            LabeledContent(name.text, value: Amount.bytes(Int64(bytes)))
            // The number says it.
            ProgressView(value: Double(bytes) / Double(max(whole, 1))).accessibilityHidden(true)
        }
        .accessibilityElement(children: .combine)
    }
}

private struct FileSection: View {
    let entry: ModelEntry

    var body: some View {
        Section(Phrase.file.text) {
            Fact(entry.model.id, entry.size)
            if let info = entry.facts?.info {
                Fact(.family, info.architecture)
                Fact(.trainedContext, Phrase.tokens.text(info.trainedContext.formatted()))
            }
            VStack(alignment: .leading) {
                Text(Phrase.sha256.text).font(.caption).foregroundStyle(.secondary)
                Text(Amount.hash(entry.model.sha256)).font(.callout.monospaced()).textSelection(.enabled)
            }
        }
    }
}

/// Whether there is memory enough.
struct FitLabel: View {
    let facts: ModelFacts

    var body: some View {
        if facts.obstacle == nil {
            Label(Phrase.modelFits.text, systemImage: "memorychip").foregroundStyle(.green)
        } else {
            Label(Phrase.modelFitsNot.text, systemImage: "exclamationmark.triangle").foregroundStyle(.red)
        }
    }
}

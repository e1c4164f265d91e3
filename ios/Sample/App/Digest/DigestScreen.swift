import Kinglet
import SampleCore
import SwiftUI

/// What waits, the digest that is made, and those made before.
struct DigestScreen: View {
    let model: DigestModel
    let loading: Loading
    let toModels: Action
    @State private var asking = false
    @Environment(\.scenePhase) private var phase

    private var live: Live { model.answer.live }

    var body: some View {
        NavigationStack {
            List {
                problems
                if live.running || !live.text.isEmpty { LiveDigest(model: model, loading: loading) }
                WaitingSection(model: model)
                BackgroundSection(model: model)
                HistorySection(model: model)
            }
            .navigationTitle(Phrase.placeDigest.text)
            .navigationDestination(for: StoredDigest.ID.self) { DigestDetail(model: model, id: $0) }
            .toolbar { PhraseButton(.clear, image: "trash", role: .destructive) { asking = true } }
            .confirmationDialog(Phrase.clearTitle.text, isPresented: $asking, titleVisibility: .visible) {
                PhraseButton(.clear, image: "trash", role: .destructive) { Task { await model.clear() } }
            } message: {
                Text(Phrase.clearWhat.text)
            }
            .refreshable { await model.collect() }
        }
        .task { await model.watch() }
        .onChange(of: phase) { _, phase in
            if phase == .active { Task { await model.collect() } }
        }
        .announces(live.text, when: live.running)
        .onDisappear { model.stop() }
    }

    @ViewBuilder private var problems: some View {
        if let problem = live.problem ?? model.problem {
            Section { ProblemView(problem: problem, toModels: toModels, dismiss: model.dismiss) }
        }
    }
}

private struct LiveDigest: View {
    let model: DigestModel
    let loading: Loading

    var body: some View {
        Section(Phrase.digestNow.text) {
            Growing(live: model.answer.live, loading: loading, stop: model.stop)
            if !model.answer.live.running {
                PhraseButton(.close, image: "xmark", action: model.dismiss)
            }
        }
    }
}

private struct WaitingSection: View {
    let model: DigestModel

    var body: some View {
        Section {
            if model.waiting.isEmpty { Quiet(Phrase.waitingNone.text) }
            ForEach(Array(model.waiting.enumerated()), id: \.offset) { NotificationRow(notification: $0.element) }
            if !model.waiting.isEmpty {
                PhraseButton(.digestMake, image: "text.badge.star", action: model.make).disabled(
                    model.answer.live.running)
            }
            PhraseButton(.demoPost, image: "bell.badge") { Task { await model.postDemo() } }
        } header: {
            Text(Phrase.waiting.text(model.waiting.count.formatted()))
        } footer: {
            Text(Phrase.digestLimit.text + " " + Phrase.digestWhere.text)
        }
    }
}

private struct BackgroundSection: View {
    @Bindable var model: DigestModel

    var body: some View {
        Section {
            Toggle(Phrase.backgroundDigests.text, isOn: $model.background)
        } footer: {
            Text(Phrase.backgroundWhat.text)
        }
    }
}

private struct HistorySection: View {
    let model: DigestModel

    var body: some View {
        Section(Phrase.earlier.text) {
            if model.history.isEmpty { Quiet(Phrase.earlierNone.text) }
            ForEach(model.history) { digest in
                NavigationLink(value: digest.id) { DigestRow(digest: digest) }
                    .swipeActions {
                        PhraseButton(.delete, image: "trash", role: .destructive) {
                            Task { await model.delete(digest) }
                        }
                    }
            }
        }
    }
}

struct DigestScreenPreviews: PreviewProvider {
    static var previews: some View {
        DigestScreen(model: DigestModel(parts: .fake()), loading: Loading()) {}
    }
}

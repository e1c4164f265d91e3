import Accessibility
import SampleCore
import SwiftUI

/// A text that grows, and how to stop it.
struct Growing: View {
    let live: Live
    let loading: Loading
    let stop: Action

    var body: some View {
        if !live.text.isEmpty {
            Text(live.text).textSelection(.enabled)
        }
        if let note = live.note {
            Label(note.words, systemImage: "info.circle").font(.callout).foregroundStyle(.secondary)
        }
        if live.running {
            Working(
                progress: loading.fraction, says: loading.fraction.map { Phrase.loadingModel.text(Amount.percent($0)) },
                stop: stop)
        }
        if let stats = live.stats {
            Quiet(stats.words)
        }
    }
}

/// Something takes its time and can be stopped.
struct Working: View {
    let progress: Double?
    var says: String?
    let stop: Action

    var body: some View {
        VStack(alignment: .leading) {
            ProgressView(value: progress) { Text(says ?? Phrase.working.text).font(.callout) }
            PhraseButton(.stop, image: "stop.circle", action: stop).buttonStyle(.bordered)
        }
    }
}

extension View {
    /// Reads out what came of it once it has ended, and not word by word.
    func announces(_ text: String, when running: Bool) -> some View {
        onChange(of: running) { was, running in
            if was, !running, !text.isEmpty { AccessibilityNotification.Announcement(text).post() }
        }
    }
}

import SampleCore
import SwiftUI

/// What comes out, as it comes, and what can be done with it.
struct TextResult: View {
    let model: TextModel
    let loading: Loading
    let toModels: Action

    private var live: Live { model.answer.live }

    var body: some View {
        if let problem = live.problem {
            Section { ProblemView(problem: problem, toModels: toModels) }
        }
        if let outcome = model.outcome {
            Section(Phrase.result.text) {
                Lines(outcome: outcome)
                if let stats = live.stats { Quiet(stats.words) }
            }
        } else if live.running || !live.text.isEmpty {
            Section(Phrase.result.text) {
                Growing(live: live, loading: loading, stop: model.stop)
                // It failed on the way: what there is can be used.
                if !live.running { TextButtons(text: live.text) }
            }
        }
    }
}

private struct Lines: View {
    let outcome: TextOutcome

    var body: some View {
        ForEach(Array(outcome.lines.enumerated()), id: \.offset) { _, line in
            if let name = line.name {
                Fact(name, line.value ?? Phrase.nothingFound.text)
            } else {
                Text(line.value ?? "").textSelection(.enabled)
            }
            // Each suggestion is an answer of its own.
            if outcome.task == .reply { TextButtons(text: line.value ?? "") }
        }
        if outcome.task != .reply { TextButtons(text: outcome.text) }
    }
}

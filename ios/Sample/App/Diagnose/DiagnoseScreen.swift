import Kinglet
import SampleCore
import SwiftUI

/// What the device is, and whether it can be trusted.
struct DiagnoseScreen: View {
    @Bindable var model: DiagnoseModel
    let toModels: Action

    var body: some View {
        NavigationStack {
            List {
                if let problem = model.problem {
                    Section { ProblemView(problem: problem, toModels: toModels, dismiss: model.dismiss) }
                }
                DeviceSections(model: model)
                TrustSection(model: model)
                SpeedSection(model: model)
                ReportSection(model: model)
            }
            .navigationTitle(Phrase.placeDiagnose.text)
        }
        .task { await model.look() }
        .onDisappear { model.stop() }
    }
}

private struct TrustSection: View {
    let model: DiagnoseModel

    var body: some View {
        Section(Phrase.qualification.text) {
            Quiet(Phrase.qualificationWhat.text)
            if let found = model.qualification {
                Text(found.words)
                ForEach(found.replaced, id: \.self) { Quiet($0.words) }
            }
            Examine(model: model, what: .qualify, phrase: .qualify, image: "checkmark.seal", begin: model.qualify)
        }
    }
}

private struct SpeedSection: View {
    let model: DiagnoseModel

    var body: some View {
        Section(Phrase.speed.text) {
            Quiet(Phrase.speedWhat.text)
            if let found = model.benchmark { Text(found.words) }
            Examine(model: model, what: .measure, phrase: .measure, image: "speedometer", begin: model.measure)
        }
    }
}

private struct ReportSection: View {
    @Bindable var model: DiagnoseModel

    var body: some View {
        Section(Phrase.report.text) {
            Quiet(Phrase.reportWhat.text)
            if !faults.isEmpty {
                Choice(
                    title: .fault,
                    options: [nil] + faults.map(Optional.some),
                    label: { $0 ?? Phrase.faultNone.text },
                    chosen: $model.fault
                )
            }
            if let found = model.report { Text(found.words) }
            if let file = model.reportFile {
                ShareLink(item: file) { Label(Phrase.reportShare.text, systemImage: "square.and.arrow.up") }
            }
            Examine(
                model: model, what: .report, phrase: .reportMake, image: "doc.text.magnifyingglass",
                begin: model.makeReport)
        }
    }
}

/// What begins an examination, or how far it is.
private struct Examine: View {
    let model: DiagnoseModel
    let what: Examination
    let phrase: Phrase
    let image: String
    let begin: Action

    var body: some View {
        if model.running == what {
            Working(progress: model.progress, stop: model.stop)
        } else {
            PhraseButton(phrase, image: image, action: begin).disabled(model.running != nil)
        }
    }
}

struct DiagnoseScreenPreviews: PreviewProvider {
    static var previews: some View {
        DiagnoseScreen(model: DiagnoseModel(parts: .fake())) {}
    }
}

import Kinglet
import SampleCore
import SwiftUI

/// What is known without work.
struct DeviceSections: View {
    let model: DiagnoseModel

    var body: some View {
        Section(Phrase.device.text) {
            Fact(.version, model.version)
            if let device = model.device {
                Fact(.runsOn, "\(device.kind.uppercased()) · \(device.detail)")
                Fact(.because, device.reason)
            }
        }
        if let gpus = model.gpus {
            Section(Phrase.gpus.text) {
                if gpus.isEmpty { Quiet(Phrase.gpusNone.text) }
                ForEach(gpus, id: \.self) { GPUFacts(gpu: $0) }
            }
        }
    }
}

private struct GPUFacts: View {
    let gpu: GPUInfo

    private var usable: String {
        let word = gpu.isUsable ? Phrase.gpuUsable.text : Phrase.gpuNotUsable.text
        guard let reason = gpu.reason else { return word }
        return "\(word): \(reason)"
    }

    var body: some View {
        Fact(gpu.name, "\(gpu.backend) · \(gpu.kind) · \(Phrase.gpuTier.text(gpu.tier.formatted()))")
        Fact(.gpuDriver, gpu.driver)
        if !gpu.features.isEmpty { Fact(.gpuFeatures, gpu.features.joined(separator: ", ")) }
        Quiet(usable)
    }
}

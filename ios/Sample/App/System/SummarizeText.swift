import AppIntents
import SampleCore

/// "Summarise text" in Shortcuts. It runs in the app's process, and on the CPU where the app is in the background.
struct SummarizeText: AppIntent {
    static let title: LocalizedStringResource = "intentTitle"
    static let description: IntentDescription? = IntentDescription("intentWhat")

    @Parameter(title: "intentText")
    var text: String

    func perform() async throws -> some IntentResult & ReturnsValue<String> {
        do {
            let assistant = try await Shared.parts.get().assistant
            return .result(value: try await assistant.summary(of: text, style: .sentence))
        } catch {
            throw IntentFailure(problem: Problem(error))
        }
    }
}

/// Shortcuts shows what this says.
private struct IntentFailure: Error, CustomLocalizedStringResourceConvertible {
    let problem: Problem?

    var localizedStringResource: LocalizedStringResource {
        LocalizedStringResource(stringLiteral: problem?.words ?? "")
    }
}

import Foundation

/// Everything that the app says. Each case is the key of a line in both `Localizable.strings`.
public enum Phrase: String, CaseIterable, Sendable {
    // App
    case appName, placeDigest, placeText, placeDiagnose, placeModels
    // Buttons
    case add, cancel, close, copy, delete, dismiss, share, start, stop, toModels
    // While something runs
    case working, loadingModel, notePart, noteSwitched, noteLowPower, noteWarm, stats, statsNoSpeed
    // Problems
    case problemNoModel, problemNoRoom, notificationsRefused
    // Digest
    case digestLimit, digestWhere, demoPost, waiting, waitingNone, digestMake, digestNow, backgroundDigests
    case backgroundWhat, earlier, earlierNone, digestOf, digestApps, digestMadeOf, clear, clearTitle, clearWhat
    // Demo
    case demoFamily, demoFamilyTitle, demoFamilyBody, demoFamilyLater, demoWork, demoWorkTitle, demoWorkBody
    case demoParcel, demoParcelTitle, demoParcelBody
    // Text
    case textInput, textHint, textTask, textStyle, textTone, taskSummarize, taskRewrite, taskExtract, taskClassify
    case taskReply, styleSentence, styleBullets, styleHeadline, styleParagraph, toneFriendly, toneFormal, toneShorter
    case toneProofread, fields, fieldsUsual, labels, labelsUsual, result, nothingFound
    // Shared and asked from elsewhere
    case sharedTitle, sharedWhat, sharedNothing, sharedFailed, intentTitle, intentWhat, intentText
    // Models
    case modelsNone, modelsWhat, copying, modelParameters, modelInUse, modelUse, modelFits, modelFitsNot, modelGone
    case memory, memoryWhy, memoryWeights, memoryKeyValue, memoryScratch, memoryTotal, file, family, trainedContext
    case tokens, sha256, modelDeleteTitle, modelDeleteWhat
    // Diagnose
    case device, version, runsOn, because, gpus, gpusNone, gpuTier, gpuDriver, gpuFeatures, gpuUsable, gpuNotUsable
    case qualification, qualificationWhat, qualify, fitnessGood, fitnessReplaced, fitnessCPU, replacement, speed
    case speedWhat, measure, speeds, report, reportWhat, reportMake, reportShare, verdictSame, verdictDrift
    case verdictBroken, fault, faultNone

    /// In the person's language.
    public var text: String {
        Bundle.main.localizedString(forKey: rawValue, value: nil, table: nil)
    }

    /// With these in its places.
    public func text(_ arguments: String...) -> String {
        Self.fill(text, arguments)
    }

    static func fill(_ pattern: String, _ arguments: [String]) -> String {
        String(format: pattern, arguments: arguments.map { NSString(string: $0) })
    }
}

import Foundation
import Kinglet

/// What the person filled in.
public struct TextForm: Codable, Equatable, Sendable {
    /// The text.
    public var input = ""
    /// What is to be done with it.
    public var task = TextTask.summarize
    /// How a summary looks.
    public var style = StyleChoice.sentence
    /// How a rewritten text sounds.
    public var tone = ToneChoice.friendly
    /// Names with commas between them; none for the usual ones.
    public var fields = ""
    /// Labels with commas between them; none for the usual ones.
    public var labels = ""

    /// Nothing was filled in.
    public init() {}

    static func names(_ list: String, usual: Phrase) -> [String] {
        let given = split(list)
        return given.isEmpty ? split(usual.text) : given
    }

    private static func split(_ list: String) -> [String] {
        var names: [String] = []
        for part in list.split(separator: ",") {
            let name = part.trimmingCharacters(in: .whitespacesAndNewlines)
            if !name.isEmpty, !names.contains(name) { names.append(name) }
        }
        return names
    }
}

/// What can be done with a text.
public enum TextTask: String, CaseIterable, Codable, Sendable {
    /// Make it shorter.
    case summarize
    /// Say it in another tone.
    case rewrite
    /// Find named fields in it.
    case extract
    /// Choose a label for it.
    case classify
    /// Suggest answers to it.
    case reply

    /// Its name on the screen.
    public var label: Phrase {
        switch self {
        case .summarize: .taskSummarize
        case .rewrite: .taskRewrite
        case .extract: .taskExtract
        case .classify: .taskClassify
        case .reply: .taskReply
        }
    }
}

/// How a summary looks.
public enum StyleChoice: String, CaseIterable, Codable, Sendable {
    /// One sentence.
    case sentence
    /// A few short lines.
    case bullets
    /// A few words.
    case headline
    /// A short paragraph.
    case paragraph

    /// Its name on the screen.
    public var label: Phrase {
        switch self {
        case .sentence: .styleSentence
        case .bullets: .styleBullets
        case .headline: .styleHeadline
        case .paragraph: .styleParagraph
        }
    }

    var style: SummaryStyle {
        switch self {
        case .sentence: .sentence
        case .bullets: .bullets
        case .headline: .headline
        case .paragraph: .digest
        }
    }
}

/// How a text is to sound.
public enum ToneChoice: String, CaseIterable, Codable, Sendable {
    /// Warm.
    case friendly
    /// Businesslike.
    case formal
    /// In fewer words.
    case shorter
    /// Without mistakes.
    case proofread

    /// Its name on the screen.
    public var label: Phrase {
        switch self {
        case .friendly: .toneFriendly
        case .formal: .toneFormal
        case .shorter: .toneShorter
        case .proofread: .toneProofread
        }
    }

    var tone: Tone {
        switch self {
        case .friendly: .friendly
        case .formal: .formal
        case .shorter: .shorter
        case .proofread: .proofread
        }
    }
}

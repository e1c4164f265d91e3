import Kinglet

extension Problem {
    /// For the screen.
    public var words: String {
        switch self {
        case .noModel: Phrase.problemNoModel.text
        case .noRoom(let needed, let free): Phrase.problemNoRoom.text(Amount.bytes(needed), Amount.bytes(free))
        case .said(let words): words
        }
    }
}

extension Note {
    /// For the screen.
    public var words: String {
        switch self {
        case .part(let part, let parts): Phrase.notePart.text(part.formatted(), parts.formatted())
        case .switched(let device): Phrase.noteSwitched.text(device.uppercased())
        case .throttled(.lowPowerMode): Phrase.noteLowPower.text
        case .throttled: Phrase.noteWarm.text
        }
    }
}

extension Stats {
    /// For the screen.
    public var words: String {
        let device = device.uppercased()
        guard let tokensPerSecond else { return Phrase.statsNoSpeed.text(tokens.formatted(), device) }
        return Phrase.stats.text(tokens.formatted(), Amount.speed(tokensPerSecond), device)
    }
}

extension Benchmark {
    /// For the screen.
    public var words: String {
        Phrase.speeds.text(Amount.speed(promptTokensPerSecond), Amount.speed(tokensPerSecond))
    }
}

extension Qualification {
    /// For the screen.
    public var words: String {
        switch fitness {
        case .good: Phrase.fitnessGood.text
        case .replaced: Phrase.fitnessReplaced.text
        case .cpu: Phrase.fitnessCPU.text
        }
    }
}

extension Replacement {
    /// For the screen.
    public var words: String {
        Phrase.replacement.text(node, to, from, why)
    }
}

extension Divergence {
    /// For the screen.
    public var words: String {
        switch verdict {
        case .same: Phrase.verdictSame.text(nodes.formatted())
        case .drift: Phrase.verdictDrift.text(nodes.formatted())
        case .broken: Phrase.verdictBroken.text(firstBad ?? "", kindOfFault ?? "")
        }
    }
}

extension NotificationText {
    /// Whom it is from.
    public var from: String {
        [app, title].filter { !$0.isEmpty }.joined(separator: " · ")
    }
}

extension StoredDigest {
    /// When it was made.
    public var moment: String {
        madeAt.formatted(date: .abbreviated, time: .shortened)
    }
}

extension ModelEntry {
    /// How many parameters in how many bytes.
    public var size: String {
        let bytes = Amount.bytes(model.bytes)
        guard let facts else { return bytes }
        return Phrase.modelParameters.text(Amount.parameters(facts.info.parameters), bytes)
    }
}

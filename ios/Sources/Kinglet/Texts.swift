/// Adds an event's text, or takes back what was wrong. Other events change nothing, so a loop may add whatever comes.
public func += (text: inout String, event: Event) {
    switch event {
    case .text(let more): text += more
    case .takeBack(let characters): text.takeBack(characters)
    case .switched, .throttled, .progress, .done: break
    }
}

extension String {
    /// Removes so many Unicode scalars at the end, or all.
    public mutating func takeBack(_ characters: Int) {
        unicodeScalars.removeLast(min(max(characters, 0), unicodeScalars.count))
    }
}

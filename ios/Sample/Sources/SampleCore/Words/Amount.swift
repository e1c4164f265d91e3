import Foundation

/// Numbers as people read them.
public enum Amount {
    /// Such as 98.4 MB.
    public static func bytes(_ bytes: Int64) -> String {
        bytes.formatted(.byteCount(style: .file))
    }

    /// Such as 82%.
    public static func percent(_ part: Double) -> String {
        part.formatted(.percent.precision(.fractionLength(0)))
    }

    /// Tokens a second, with as many digits as mean something.
    public static func speed(_ perSecond: Double) -> String {
        perSecond.formatted(.number.precision(.fractionLength(perSecond < 10 ? 1 : 0)))
    }

    /// Such as 135 M.
    public static func parameters(_ count: Int) -> String {
        let number = Double(count)
        if number >= 1e9 { return short(number / 1e9) + " B" }
        if number >= 1e6 { return short(number / 1e6) + " M" }
        return count.formatted()
    }

    /// In groups, so that it can be compared by eye.
    public static func hash(_ hexadecimal: String) -> String {
        var groups: [Substring] = []
        var rest = hexadecimal[...]
        while !rest.isEmpty {
            groups.append(rest.prefix(8))
            rest = rest.dropFirst(8)
        }
        return groups.joined(separator: " ")
    }

    private static func short(_ number: Double) -> String {
        number.formatted(.number.precision(.fractionLength(0...1)))
    }
}

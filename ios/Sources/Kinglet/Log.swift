import Foundation
internal import KingletBindings

#if canImport(os)
    import os
#endif

/// How much is logged.
public enum LogLevel: Int, Sendable, Hashable, Codable, CaseIterable {
    /// Nothing.
    case off
    /// What failed.
    case error
    /// What is doubtful as well.
    case warning
    /// Choices, such as that of a device, as well.
    case info
    /// What a developer of Kinglet looks at.
    case debug
    /// Everything.
    case trace
}

/// What this module and the core tell: to the unified log under `dev.kinglet` where there is one, else to standard error.
enum Log {
    private static let level = Guarded(LogLevel.off)
    private static let reader = Guarded<Task<Void, Never>?>(nil)

    static func set(_ level: LogLevel) {
        self.level.with { $0 = level }
        // Before the core logs anything, and from then on.
        reader.with { reader in
            if reader != nil || level == .off { return }
            let lines = LogLines()
            reader = Task.detached(priority: .utility) {
                while let line = await lines.next() { write(LogLevel(line.level), line.target, line.text) }
            }
        }
        initLogging(level: level.core)
    }

    static func warning(_ text: @autoclosure () -> String) {
        if isOn(.warning) { write(.warning, "engine", text()) }
    }

    static func info(_ text: @autoclosure () -> String) {
        if isOn(.info) { write(.info, "engine", text()) }
    }

    private static func isOn(_ level: LogLevel) -> Bool {
        level.rawValue <= self.level.with { $0.rawValue }
    }

    private static func write(_ level: LogLevel, _ category: String, _ text: String) {
        told.with { $0?(level, category, text) }
        #if canImport(os)
            let kind: OSLogType =
                switch level {
                case .off, .debug, .trace: .debug
                case .info: .info
                case .warning, .error: .error
                }
            Logger(subsystem: "dev.kinglet", category: category).log(level: kind, "\(text, privacy: .public)")
        #else
            FileHandle.standardError.write(Data("\(level) \(category): \(text)\n".utf8))
        #endif
    }

    /// Given every line as well: tests cannot read the system's log.
    static let told = Guarded<(@Sendable (LogLevel, String, String) -> Void)?>(nil)
}

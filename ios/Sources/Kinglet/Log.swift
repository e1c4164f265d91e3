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

/// What this module tells: to the unified log under `dev.kinglet` where there is one, else to standard error.
enum Log {
    private static let level = Guarded(LogLevel.off)

    static func set(_ level: LogLevel) {
        self.level.with { $0 = level }
        // The core's own lines go to standard error.
        initLogging(level: level.core)
    }

    static func warning(_ text: @autoclosure () -> String) {
        write(.warning, text)
    }

    static func info(_ text: @autoclosure () -> String) {
        write(.info, text)
    }

    private static func write(_ level: LogLevel, _ text: () -> String) {
        if level.rawValue > self.level.with({ $0.rawValue }) { return }
        #if canImport(os)
            let logger = Logger(subsystem: "dev.kinglet", category: "engine")
            let text = text()
            logger.log(level: level == .warning ? .error : .info, "\(text, privacy: .public)")
        #else
            FileHandle.standardError.write(Data("\(level) kinglet: \(text())\n".utf8))
        #endif
    }
}

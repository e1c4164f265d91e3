import Foundation
import XCTest

/// What the system tells of this process.
enum ThisProcess {
    #if os(Linux)
        /// Bytes in memory.
        static func resident() throws -> Int {
            let fields = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8).split(separator: " ")
            return try XCTUnwrap(fields.count > 1 ? Int(fields[1]) : nil) * 4096
        }

        /// Threads that run a model, or load one.
        static var coreThreads: Int {
            let threads = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/task")) ?? []
            let names = threads.map { try? String(contentsOfFile: "/proc/self/task/\($0)/comm", encoding: .utf8) }
            return names.count { $0 == "kinglet\n" }
        }
    #else
        static func resident() throws -> Int {
            throw XCTSkip("only Linux tells this in a file")
        }

        static var coreThreads: Int { 0 }
    #endif
}

/// The slope of the straight line through values, by least squares.
func slope(_ values: [Double]) -> Double {
    let (meanX, meanY) = (Double(values.count - 1) / 2, values.reduce(0, +) / Double(values.count))
    let above = values.enumerated().map { (Double($0) - meanX) * ($1 - meanY) }.reduce(0, +)
    let below = values.indices.map { (Double($0) - meanX) * (Double($0) - meanX) }.reduce(0, +)
    return above / below
}

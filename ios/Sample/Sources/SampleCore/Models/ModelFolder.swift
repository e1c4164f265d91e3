import Foundation
import Kinglet

/// Models as files in a folder, each with its hash beside it.
public actor ModelFolder: ModelStore {
    private static let gguf = "gguf"
    private static let part = "part"

    private let folder: URL
    private let choices: ChoicesFile
    private let hash: @Sendable () -> any FileHash
    private let device: Device

    /// Makes the folder where there is none.
    public init(
        folder: URL,
        choices: ChoicesFile,
        device: Device = .automatic,
        hash: @escaping @Sendable () -> any FileHash
    ) throws {
        self.folder = folder
        self.choices = choices
        self.device = device
        self.hash = hash
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        // They can be had again, and are too large for anybody's backup.
        var values = URLResourceValues()
        values.isExcludedFromBackup = true
        var marked = folder
        try marked.setResourceValues(values)
        // Copies that a dead process left unfinished.
        for file in try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
        where file.pathExtension == Self.part {
            try FileManager.default.removeItem(at: file)
        }
    }

    public func all() -> [StoredModel] {
        let files = try? FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: [.fileSizeKey])
        return (files ?? [])
            .filter { $0.pathExtension == Self.gguf }
            .sorted { $0.lastPathComponent.lowercased() < $1.lastPathComponent.lowercased() }
            .map { file in
                let hash = try? String(contentsOf: Self.hashFile(of: file), encoding: .utf8)
                return StoredModel(file: file, bytes: Self.size(of: file) ?? 0, sha256: hash ?? "")
            }
    }

    public func chosen() async -> StoredModel? {
        let name = await choices.now.model
        return all().first { $0.id == name }
    }

    public func add(_ document: URL, progress: @escaping @Sendable (Copied) -> Void) async throws -> StoredModel {
        #if canImport(Darwin)
            // The picker's leave to read it ends with this.
            let granted = document.startAccessingSecurityScopedResource()
            defer { if granted { document.stopAccessingSecurityScopedResource() } }
        #endif
        let total = Self.size(of: document) ?? 0
        let free = try folder.resourceValues(forKeys: [.volumeAvailableCapacityKey]).volumeAvailableCapacity
        if let free, total > free { throw NoRoomError(needed: total, free: Int64(free)) }
        let part = folder.appendingPathComponent(UUID().uuidString).appendingPathExtension(Self.part)
        defer { try? FileManager.default.removeItem(at: part) }
        let sha256 = try await HashingCopy.copy(from: document, to: part, hash: hash()) {
            progress(Copied(bytes: $0, total: total))
        }
        _ = try await Kinglet.inspect(part)
        try Task.checkCancellation()
        return try await keep(part, as: document, sha256: sha256)
    }

    public func choose(_ model: StoredModel) async throws {
        try await choices.change { $0.model = model.id }
    }

    public func delete(_ model: StoredModel) async throws {
        try FileManager.default.removeItem(at: model.file)
        try? FileManager.default.removeItem(at: Self.hashFile(of: model.file))
        try await choices.change { if $0.model == model.id { $0.model = nil } }
    }

    public func facts(of model: StoredModel) async throws -> ModelFacts {
        let configuration = Configuration(model: model.file, device: device)
        var facts = ModelFacts(info: try await Kinglet.inspect(model.file), plan: try await Kinglet.plan(configuration))
        if case .unavailable(let reason) = await Kinglet.availability(of: configuration) {
            facts.obstacle = reason.text
        }
        return facts
    }

    private func keep(_ part: URL, as document: URL, sha256: String) async throws -> StoredModel {
        let file = unused(document.deletingPathExtension().lastPathComponent)
        try FileManager.default.moveItem(at: part, to: file)
        try Data(sha256.utf8).write(to: Self.hashFile(of: file), options: .atomic)
        let model = StoredModel(file: file, bytes: Self.size(of: file) ?? 0, sha256: sha256)
        if await chosen() == nil { try await choose(model) }
        return model
    }

    /// A file of that name, with a number where there is one already.
    private func unused(_ name: String) -> URL {
        var number = 1
        while true {
            let name = number == 1 ? name : "\(name) (\(number))"
            let file = folder.appendingPathComponent(name).appendingPathExtension(Self.gguf)
            if !FileManager.default.fileExists(atPath: file.path) { return file }
            number += 1
        }
    }

    private static func size(of file: URL) -> Int64? {
        (try? file.resourceValues(forKeys: [.fileSizeKey]).fileSize).map(Int64.init)
    }

    private static func hashFile(of model: URL) -> URL {
        model.appendingPathExtension("sha256")
    }
}

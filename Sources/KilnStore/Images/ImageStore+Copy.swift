import Foundation
import KilnModel
import KilnSystem

extension ImageStore {
    /// Copies images, under all their names and with all that is said of them, into a store of its own.
    ///
    /// What trees and steps are kept for further bakes stay behind.
    ///
    /// - Parameter target: a folder that is not there yet.
    /// - Throws: `KilnError`: what can't be found here is left out, since whoever needs it says so better.
    package func copy(_ wanted: some Sequence<ImageReference> & Sendable, to target: String) async throws {
        let lock = try await ImageLock.take(.shared, ofStore: root)
        defer { withExtendedLifetime(lock) {} }
        let digests = try Set(wanted.compactMap(found))
        try DurableFile.makeDirectory(target + "/sha256")
        try await copyContent(of: digests, to: target)
        for path in try said(of: digests, Set(wanted.map(\.name))) { try copy(path, to: target) }
    }

    private func found(_ image: ImageReference) throws -> ImageDigest? {
        do {
            return try find(image).manifest.digest
        } catch let error as KilnError where [.imageMissing, .imageChannelMissing].contains(error.code) { return nil }
    }

    // By cp: it shares what the file system can share, and leaves holes as holes.
    private func copyContent(of digests: Set<ImageDigest>, to target: String) async throws {
        guard !digests.isEmpty else { return }
        let words = ["--archive", "--reflink=auto", "--sparse=always", "--target-directory=\(target)/sha256", "--"]
        try await Command("cp", words + digests.map(content), deadline: .seconds(600)).run()
    }

    /// What is said of images, by paths below the store: by no name or channel is another one found than here.
    private func said(of digests: Set<ImageDigest>, _ names: Set<Name>) throws -> [String] {
        let versions = try names.flatMap { name in
            try self.versions(of: name).filter { digests.contains($0.digest) }.map { "names/\(name)/\($0.version)" }
        }
        let channels = try names.flatMap { try self.channels(of: $0) }
            .filter { $0.current.map { digests.contains($0.digest) } ?? false }
            .map { "channels/\($0.image)/\($0.name).json" }
        let configurations = children(of: root + "/configurations").flatMap { configuration in
            digests.map { "configurations/\(configuration)/\($0.hex).json" }
        }
        let rest = digests.flatMap { ["attestations/\($0.hex)", "revoked/\($0.hex).json", "ways/\($0.hex).json"] }
        return versions + channels + configurations + rest
    }

    private func copy(_ path: String, to target: String) throws {
        guard FileManager.default.fileExists(atPath: "\(root)/\(path)") else { return }
        try DurableFile.makeDirectory(DurableFile.directory(of: "\(target)/\(path)"))
        do {
            try FileManager.default.copyItem(atPath: "\(root)/\(path)", toPath: "\(target)/\(path)")
        } catch {
            throw KilnError(.stateNotWritable, "\(target)/\(path) can't be made", cause: "\(error)")
        }
    }
}

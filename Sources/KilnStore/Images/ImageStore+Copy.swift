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
        try DurableFile.makeDirectory(target + "/sha256")
        let digests = Set(wanted.compactMap { try? find($0).manifest.digest })
        let content = digests.map { self.content($0) }
        let said = ["names", "channels", "attestations", "configurations", "revoked", "ways"].map { "\(root)/\($0)" }
        try await copy(content, into: target + "/sha256")
        try await copy(said.filter { FileManager.default.fileExists(atPath: $0) }, into: target)
    }

    // By cp: it shares what the file system can share, and leaves holes as holes.
    private func copy(_ paths: [String], into folder: String) async throws {
        guard !paths.isEmpty else { return }
        let words = ["--archive", "--reflink=auto", "--sparse=always", "--target-directory=\(folder)", "--"]
        try await Command("cp", words + paths, deadline: .seconds(600)).run()
    }
}

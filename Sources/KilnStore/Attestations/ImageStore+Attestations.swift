import Foundation
import KilnModel
import KilnSystem

extension ImageStore {
    /// Keeps an attestation beside the image, durably; what was kept for the same image and suite before is replaced.
    ///
    /// It is the last word on the image from now on, and outlives it: the same content is the same image.
    ///
    /// - Parameter isImported: whether another store's word is taken for it.
    /// - Throws: `KilnError` with code `state.not-writable` or `state.unreadable`.
    public func attest(_ attestation: Attestation, isImported: Bool = false) throws {
        let known = try attestations(of: attestation.image)
        let record = AttestationRecord(
            number: (known.last?.number ?? 0) + 1,
            attestation,
            isImported: isImported
        )
        try DurableFile.makeDirectory(attestations(attestation.image))
        let path = "\(attestations(attestation.image))/\(attestation.suite.hex).json"
        try DurableFile.writeJSON(record, to: path)
    }

    /// The attestations of an image, one of each suite, the last word at the end.
    ///
    /// - Throws: `KilnError` with code `state.unreadable`.
    public func attestations(of image: ImageDigest) throws -> [AttestationRecord] {
        let folder = attestations(image)
        return try children(of: folder).filter { $0.hasSuffix(".json") }
            .compactMap { try DurableFile.readJSON(AttestationRecord.self, from: "\(folder)/\($0)") }
            .filter { $0.attestation.image == image }
            .sorted { ($0.number, $0.attestation.suite) < ($1.number, $1.attestation.suite) }
    }

    /// What the last tests of an image say; those of a suite that is not its own any more say nothing.
    ///
    /// - Throws: `KilnError` with code `state.unreadable`.
    public func verdict(on image: ImageDigest) throws -> TestVerdict {
        try verdict(on: image) { try (try? self.image(unnamed: image).manifest).map(ImageSuite.current) }
    }

    /// The same of an image whose manifest is at hand.
    func verdict(on image: ImageManifest) throws -> TestVerdict {
        try verdict(on: image.digest) { try ImageSuite.current(of: image) }
    }

    // Of content that is gone nobody knows what would be asked today: then every word counts. Where nothing was said, nobody
    // asks: a manifest is long, and 'kiln ps' reads it for each image.
    private func verdict(on image: ImageDigest, by current: () throws -> Set<ImageDigest>?) throws -> TestVerdict {
        let all = try attestations(of: image)
        guard !all.isEmpty else { return .untested }
        let suites = try current()
        let records = all.filter { suites?.contains($0.attestation.suite) ?? true }
        // Two tests that ended at once may have the same number: then the worse one counts.
        let last = records.filter { $0.number == records.last?.number }.map(\.verdict)
        return [.failed, .flaky, .untested].first { last.contains($0) } ?? last.first ?? .untested
    }

    /// Whether the last tests of an image were passed.
    ///
    /// - Throws: `KilnError` with code `state.unreadable`.
    public func isAttested(_ image: ImageDigest) throws -> Bool { try verdict(on: image) == .passed }

    private func attestations(_ image: ImageDigest) -> String { "\(root)/attestations/\(image.hex)" }
}

import Foundation
import KilnModel
import KilnSystem

/// An unpacked archive that is what its manifest says.
struct IncomingImage: Sendable {
    /// What the manifest says.
    let manifest: ImageManifest
    /// What another store found of it, made safe to print.
    let attestations: [Attestation]
    /// The files that were unpacked.
    let files: [String]

    private static let mostAttestations = 256
    private static let mostAssertions = 10_000

    /// Judges what was unpacked into `folder`.
    ///
    /// - Throws: `KilnError` with code `image.archive-refused` or `image.refused.REASON`.
    init(_ content: ImageArchive.Content, from path: String, in folder: String) throws {
        func refuse(_ why: String) -> KilnError { ImageArchive.refusal(path, why) }
        guard let document = content.documents[ImageStore.manifestName] else { throw refuse("it has no manifest") }
        guard let manifest = try? JSONDecoder().decode(ImageManifest.self, from: document) else {
            throw refuse("its manifest can't be read")
        }
        var expected = manifest.files
        expected[ImageStore.diskName] = manifest.digest
        for name in Set(expected.keys).union(content.digests.keys).sorted()
        where expected[name] != content.digests[name] {
            throw refuse(IncomingImage.mismatch(name, expected[name], content.digests[name]))
        }
        let header = try QCOW2Header(ofImage: "\(folder)/\(ImageStore.diskName)")
        if let why = IncomingImage.objection(to: manifest, header) { throw refuse(why) }
        self.manifest = manifest
        files = content.digests.keys.sorted()
        attestations = try IncomingImage.attestations(content, of: manifest.digest, refuse)
    }

    private static func mismatch(_ name: String, _ expected: ImageDigest?, _ found: ImageDigest?) -> String {
        let name = Name.quoted(name)
        guard let expected else { return "it holds \(name), of which its manifest says nothing" }
        guard let found else { return "it lacks \(name), which its manifest names" }
        return "its \(name) should be \(expected) and is \(found)"
    }

    // What a manifest says becomes paths, arguments of a kernel and the size of machines.
    private static func objection(to manifest: ImageManifest, _ header: QCOW2Header) -> String? {
        let kernel = manifest.files["kernel"] != nil
        let words: String? = if case .direct(let commandLine) = manifest.boot { commandLine } else { nil }
        let isPlain = (words ?? "").utf8.allSatisfy { (0x20...0x7e).contains($0) }
        if !ImageReference.acceptsVersion(manifest.version) { return "its version is none" }
        if manifest.virtualSize != header.virtualSize { return "its disk has another size than its manifest says" }
        if words != nil, !kernel { return "it boots by a kernel that it lacks" }
        if !isPlain || (words ?? "").utf8.count > 2_000 { return "its kernel's command line is no line of text" }
        if !(1...64).contains(manifest.size.processors) { return "its machines have no 1 to 64 processors" }
        let memory = ByteCount.mebibytes(32)...ByteCount.mebibytes(1 << 20)
        return memory.contains(manifest.size.memory) ? nil : "its machines have no 32MiB to 1TiB of memory"
    }

    private static func attestations(
        _ content: ImageArchive.Content,
        of image: ImageDigest,
        _ refuse: (String) -> KilnError
    ) throws -> [Attestation] {
        guard let document = content.documents[ImageArchive.attestationsName] else { return [] }
        guard let found = try? JSONDecoder().decode([Attestation].self, from: document) else {
            throw refuse("its attestations can't be read")
        }
        guard found.count <= mostAttestations, found.allSatisfy({ $0.assertions.count <= mostAssertions }) else {
            throw refuse("it has too many attestations")
        }
        guard found.allSatisfy({ $0.image == image }) else { throw refuse("it holds an attestation of another image") }
        return found.map(printable)
    }

    private static func printable(_ attestation: Attestation) -> Attestation {
        func line(_ text: String) -> String { Printable.line(String(text.prefix(2_000))) }
        // As a duration a number can be too large for this machine.
        func time(_ seconds: Double) -> Double { min(max(seconds, 0), 1_000_000) }
        return Attestation(
            image: attestation.image,
            suite: attestation.suite,
            assertions: attestation.assertions.map {
                Assertion(
                    subject: line($0.subject),
                    expected: line($0.expected),
                    found: line($0.found),
                    outcome: $0.outcome,
                    place: $0.place,
                    seconds: time($0.seconds)
                )
            },
            acceleration: attestation.acceleration.map(line),
            seconds: time(attestation.seconds)
        )
    }
}

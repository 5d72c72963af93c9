import Foundation
import KilnModel
import KilnSystem

/// What the images of a lab or scenario file were when they were locked; kept beside that file, as `FILE.lock`.
///
/// With it the file means the same images on every host and on every day.
public struct LabLock: Sendable, Hashable, Codable {
    // First, and so decoded first: what a later version wrote need not have what follows.
    private let format: RecordFormat?
    /// The digests, by references as the file writes them.
    public let images: [String: ImageDigest]

    /// A lock of these references.
    ///
    /// - Parameter digest: what each means now.
    public init(
        _ references: Set<ImageReference>,
        _ digest: (ImageReference) throws -> ImageDigest
    ) rethrows {
        format = RecordFormat()
        images = try Dictionary(uniqueKeysWithValues: references.map { ($0.description, try digest($0)) })
    }

    /// The path of the lock of a file.
    public static func path(of file: String) -> String { file + ".lock" }

    /// Writes the lock beside its file, durably.
    ///
    /// - Throws: `KilnError` with code `state.not-writable`.
    public func write(beside file: String) throws {
        try DurableFile.writeJSON(self, to: LabLock.path(of: file))
    }

    /// The lock beside a file.
    ///
    /// - Parameter references: what the file names; a lock of other images belongs to an older file, and is refused.
    /// - Throws: `KilnError` with code `lab.lock-missing`, `lab.lock-damaged` or `lab.lock-stale`.
    public static func read(beside file: String, naming references: Set<ImageReference>) throws -> LabLock {
        let path = path(of: file)
        let lock: LabLock
        do {
            guard let bytes = try DurableFile.contents(path) else { throw missing(path, file) }
            lock = try JSONDecoder().decode(LabLock.self, from: bytes)
        } catch let error as KilnError {
            throw error
        } catch {
            throw damaged(path, file, "\(error)")
        }
        let named = Set(references.map(\.description))
        let lacking = named.subtracting(lock.images.keys).sorted()
        let surplus = Set(lock.images.keys).subtracting(named).sorted()
        guard lacking.isEmpty, surplus.isEmpty else { throw stale(path, file, lacking, surplus) }
        return lock
    }

    /// The reference by the digest that it was locked to; one by digest stays as it is.
    ///
    /// - Throws: `KilnError` with code `lab.lock-stale` where it is not in the lock.
    public func pinned(_ reference: ImageReference) throws -> ImageReference {
        if case .digest = reference.selector { return reference }
        guard let digest = images[reference.description] else {
            throw KilnError(
                .labLockStale,
                "the lock has no image \(reference): it has \(images.keys.sorted().joined(separator: ", "))",
                hint: "name one of these, or leave --locked out",
                exit: .invalidFile
            )
        }
        return ImageReference(name: reference.name, selector: .digest(digest))
    }

    private static func missing(_ path: String, _ file: String) -> KilnError {
        KilnError(
            .labLockMissing,
            "there is no \(path), which would say what the images of \(file) are",
            hint: "write it with 'kiln lock \(file)'",
            exit: .invalidFile
        )
    }

    private static func damaged(_ path: String, _ file: String, _ cause: String) -> KilnError {
        KilnError(
            .labLockDamaged,
            "\(path) can't be read as a lock",
            hint: "write it anew with 'kiln lock \(file)'",
            cause: Printable.line(cause),
            exit: .invalidFile
        )
    }

    private static func stale(
        _ path: String,
        _ file: String,
        _ lacking: [String],
        _ surplus: [String]
    ) -> KilnError {
        let parts = [("it lacks", lacking), ("the file no longer names", surplus.map { Name.quoted($0) })]
        let found = parts.filter { !$0.1.isEmpty }.map { "\($0.0) \($0.1.joined(separator: ", "))" }
        return KilnError(
            .labLockStale,
            "\(path) was written for other images than \(file) names: \(found.joined(separator: "; "))",
            hint: "write it anew with 'kiln lock \(file)'",
            exit: .invalidFile
        )
    }
}

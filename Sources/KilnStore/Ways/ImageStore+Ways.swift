import Foundation
import KilnModel
import KilnSystem

/// What machines of an image have shown: kept beside the sealed folder, for the content, and outliving it.
struct GuestWayRecord: Sendable, Hashable, Codable {
    // First, and so decoded first: what a later version wrote need not have what follows.
    private let format: RecordFormat?
    /// The image.
    let image: ImageDigest
    /// How commands got into its guests.
    let way: GuestWay
    /// When that was seen last to be another one than before, for people.
    let found: Date

    init(_ image: ImageDigest, _ way: GuestWay) {
        format = RecordFormat()
        self.image = image
        self.way = way
        found = Date()
    }
}

extension ImageStore {
    /// By which way commands got into the guests of an image; nothing where no machine of it has shown that yet.
    ///
    /// - Throws: `KilnError` with code `state.unreadable`.
    public func way(into image: ImageDigest) throws -> GuestWay? {
        let record = try DurableFile.readJSON(GuestWayRecord.self, from: way(image))
        return record?.image == image ? record?.way : nil
    }

    /// Notes by which way they do.
    ///
    /// - Throws: `KilnError` with code `state.not-writable` or `state.unreadable`.
    public func note(_ way: GuestWay, into image: ImageDigest) throws {
        guard try self.way(into: image) != way else { return }
        try DurableFile.makeDirectory(root + "/ways")
        try DurableFile.writeJSON(GuestWayRecord(image, way), to: self.way(image))
    }

    private func way(_ image: ImageDigest) -> String { "\(root)/ways/\(image.hex).json" }
}

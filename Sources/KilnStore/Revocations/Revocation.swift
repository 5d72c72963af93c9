import Foundation
import KilnModel
import KilnSystem

/// A tombstone: no new generation is made from an image that has one.
///
/// It belongs to the content and outlives it, so that the same content can't come back under another name.
public struct Revocation: Sendable, Hashable, Codable {
    // First, and so decoded first: what a later version wrote need not have what follows.
    private let format: RecordFormat?
    /// The image.
    public let digest: ImageDigest
    /// Why, in the words of whoever revoked it.
    public let why: String
    /// What it was called then, as `NAME:VERSION`.
    public let names: [String]
    /// When, for people.
    public let revoked: Date
    /// The image with which it was revoked, as a descendant of it.
    public let ancestor: ImageDigest?

    init(_ digest: ImageDigest, why: String, names: [String], ancestor: ImageDigest?) {
        format = RecordFormat()
        self.digest = digest
        self.why = why
        self.names = names
        revoked = Date()
        self.ancestor = ancestor
    }
}

import Crypto
import KilnModel
import KilnSystem

/// What tells a file system from others, derived from what it is made of.
struct DiskIdentity: Sendable, Hashable {
    /// The second since 1970 at which everything was made; nothing on it is newer.
    ///
    /// Where it lies before the tree was unpacked, the same tree is the same disk.
    let epoch: Int
    /// Its UUID, and the seed of the hashes by which it finds names.
    ///
    /// Two images never share one: a lab may have both.
    let uuid: String

    /// The identity of what is made of content with that digest.
    init(of digest: ImageDigest, epoch: Int) {
        // To e2fsprogs 0 means the present time.
        self.epoch = max(1, epoch)
        var bytes = Array(SHA256.hash(data: Array("kiln root file system \(digest.hex)".utf8)).prefix(16))
        // A UUID of a kind of one's own: RFC 9562, section 5.8.
        bytes[6] = bytes[6] & 0x0f | 0x80
        bytes[8] = bytes[8] & 0x3f | 0x80
        let text = bytes.hexadecimal
        let ends = [8, 12, 16, 20, 32]
        uuid = zip([0] + ends, ends).map { String(text.dropFirst($0).prefix($1 - $0)) }.joined(separator: "-")
    }
}

/// Why a header was refused.
public struct RefusedHeader: Error, Sendable, Hashable {
    /// The kind of reason; its text is part of error codes.
    public enum Reason: String, Sendable, Hashable, CaseIterable {
        /// The file ends within its header.
        case tooShort = "too-short"
        /// The file is no qcow2 file.
        case otherFormat = "other-format"
        /// A version other than 2 and 3.
        case version
        /// It needs another file below it, or one that can't be right.
        case backingFile = "backing-file"
        /// Its content lies in another file.
        case dataFile = "data-file"
        /// It is encrypted.
        case encrypted
        /// It holds snapshots of a machine.
        case snapshots
        /// It was not closed properly or is marked corrupt.
        case unclean
        /// It uses a feature that this parser does not know.
        case unknownFeature = "unknown-feature"
        /// Its sizes or offsets can't be right.
        case geometry
        /// Its disk is larger than Kiln accepts.
        case tooLarge = "too-large"
    }

    /// The kind of reason.
    public let reason: Reason
    /// What is wrong, as a sentence about "it".
    public let detail: String

    init(_ reason: Reason, _ detail: String) {
        self.reason = reason
        self.detail = detail
    }
}

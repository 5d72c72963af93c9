import KilnModel

extension Recipe {
    /// A disk that others publish.
    public struct Download: Sendable, Hashable {
        /// Where each version's disk is, by the version's name; what is not at the first place is looked for at the next.
        public let sources: [String: [DiskSource]]
        /// What starts it; nothing means what is found on the disk.
        public let firmware: ImageManifest.Firmware?
    }
}

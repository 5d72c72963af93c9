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

extension Recipe {
    /// The recipe of the disk as it is published, where steps are done in a machine of it: an image of its own, `NAME-download`.
    ///
    /// - Throws: `KilnError` with code `name.invalid` where the name is too long for that.
    func asPublished() throws -> Recipe {
        Recipe(
            folder: folder,
            name: try Name("\(name)-download"),
            about: about,
            base: base,
            snapshot: nil,
            room: .chroot,
            provisioners: [],
            tests: [],
            inheritsTests: true,
            settings: settings,
            versions: versions
        )
    }
}

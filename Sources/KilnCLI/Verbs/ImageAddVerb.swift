import ArgumentParser
import KilnBakery
import KilnEngine
import KilnModel
import KilnStore

/// `kiln image add`.
struct ImageAddVerb: Verb {
    static let configuration = CommandConfiguration(
        commandName: "add",
        abstract: "Add a disk with a boot loader of its own, such as a distribution's cloud image.",
        discussion: """
            The disk is a qcow2 file or a raw one, also packed by gzip, xz or zstd. It needs cloud-init, which tells a machine \
            who it is. What comes from a server needs a checksum: the publisher's list, such as SHA512SUMS, or the value \
            itself. A download that broke off goes on where it stopped.
            """
    )

    @Argument(
        help: ArgumentHelp("A file, which is copied, or its address (http or https).", valueName: "file-or-url"),
        completion: .file(extensions: ["qcow2", "img", "raw", "xz", "gz", "zst"])
    )
    var source: String

    @Option(help: ArgumentHelp("What to call it.", valueName: "name:version"))
    var `as`: String

    @Option(help: ArgumentHelp("The sha256 of the file as it is published.", valueName: "hex"))
    var sha256: String?

    @Option(help: ArgumentHelp("The sha512 of the file as it is published.", valueName: "hex"))
    var sha512: String?

    @Option(
        help: ArgumentHelp(
            "The publisher's list of checksums, a file or an address; its signature is not checked.",
            valueName: "file-or-url"
        ),
        completion: .file()
    )
    var sums: String?

    @Option(help: "What starts it: bios or uefi; without it, what is found on the disk.")
    var firmware: Firmware?

    @Flag(help: "Ask no server: use what was downloaded, and was what its checksum says, before.")
    var offline = false

    @OptionGroup var global: GlobalOptions

    /// The firmware that starts the image.
    enum Firmware: String, CaseIterable, ExpressibleByArgument {
        case bios, uefi

        var model: ImageManifest.Firmware {
            switch self {
            case .bios: .bios
            case .uefi: .uefi
            }
        }
    }

    func execute(_ session: Session) async throws -> Int32 {
        let reference = try ImageReference(self.as)
        guard case .version(let version) = reference.selector else {
            throw KilnError(
                .imageReferenceInvalid,
                "\(Name.quoted(self.as)) has no version",
                hint: "say --as NAME:VERSION",
                exit: .usage
            )
        }
        let disk = try self.disk()
        let described = AddedImage(name: reference.name, version: version, boot: .firmware(firmware?.model))
        let workspace = try await session.workspace()
        let added = try await workspace.images.add(disk, as: described, roots: workspace.parts.roots) {
            session.say($0)
        }
        try session.show(ImageList(images: [added.manifest]))
        return 0
    }

    /// Where the disk is, and what it has to be.
    private func disk() throws -> DiskSource {
        let checksums = try [
            sha256.map { try Checksum(.sha256, $0) }, sha512.map { try Checksum(.sha512, $0) },
        ].compactMap(\.self)
        var disk = DiskSource(
            try DiskSource.Place(source),
            checksums: checksums,
            sums: try sums.map { try DiskSource.Place($0) }
        )
        disk.isOffline = offline
        return disk
    }
}

import Foundation
import KilnModel
import KilnStore
import KilnSystem

/// A machine that is held before it becomes anybody's, as files.
struct Template: Sendable {
    let key: TemplateKey
    let folder: String

    /// What is in its memory.
    var memory: String { Template.memory(in: folder) }
    /// What its devices hold.
    var devices: String { Template.devices(in: folder) }
    /// What its guest wrote to its root, over the image.
    var root: String { Template.root(in: folder) }

    static func memory(in folder: String) -> String { folder + "/memory" }
    static func devices(in folder: String) -> String { folder + "/devices" }
    static func root(in folder: String) -> String { folder + "/root.qcow2" }
    static func record(in folder: String) -> String { folder + "/template.json" }
    static func console(in folder: String) -> String { folder + "/console.log" }

    /// The files that have to be as they were made.
    static func sealed(in folder: String) -> [String: String] {
        ["memory": memory(in: folder), "devices": devices(in: folder), "root": root(in: folder)]
    }
}

/// What is known of a template; written last, so that it stands only beside whole files.
struct TemplateRecord: Sendable, Codable {
    // First, and so decoded first: what a later version wrote need not have what follows.
    private var format = RecordFormat()
    /// Its image.
    let image: ServerStatus.Image
    /// What the hypervisor said that its templates depend on.
    let ground: String
    /// The host's boot in which it was made: another one may have another processor.
    let boot: HostUptime
    /// What was in its files when it was made.
    let digests: [String: ImageDigest]
    /// How its files looked when they were last known to be so.
    var stamps: [String: FileStamp]

    init(
        image: ServerStatus.Image,
        ground: String,
        digests: [String: ImageDigest],
        stamps: [String: FileStamp]
    ) {
        self.image = image
        self.ground = ground
        boot = .now
        self.digests = digests
        self.stamps = stamps
    }

    /// Whether the host has not booted since.
    var isOfThisBoot: Bool { HostUptime.now.since(boot) != nil }
}

extension FileStamp {
    /// The stamps of a template's files that are there.
    static func all(in folder: String) -> [String: FileStamp] {
        Template.sealed(in: folder).compactMapValues { FileStamp(of: $0) }
    }
}

internal import KilnModel

/// Whose files are a machine's files, where a privileged libvirt would run QEMU as its own user and give it the files.
///
/// libvirt knows two ways to leave files alone, and refuses them together. A word for the whole domain covers kernel
/// and initrd too, which no word for a single file can. But it also covers the UEFI variables, which libvirt copies
/// as root and QEMU could then not open. So UEFI machines, which have no kernel and initrd, are labelled file by file.
struct FileLabels {
    private let user: MachineSpec.User?
    private let perFile: Bool

    init(_ spec: MachineSpec) {
        user = spec.user
        perFile =
            switch spec.boot {
            case .firmware(.uefi, _): true
            case .firmware(.bios, _), .direct: false
            }
    }

    /// The label of the domain; none where QEMU runs as libvirt itself does.
    var domain: [XMLElement] {
        guard let user else { return [] }
        return [
            XMLElement(
                "seclabel",
                ["type": "static", "model": "dac", "relabel": perFile ? "yes" : "no"],
                [XMLElement("label", text: "+\(user.uid):+\(user.gid)")]
            )
        ]
    }

    /// The label of each file.
    var file: [XMLElement] {
        guard user != nil, perFile else { return [] }
        return [XMLElement("seclabel", ["model": "dac", "relabel": "no"])]
    }
}

public import KilnModel

/// A disk in its place in a machine.
public enum MachineDisk: Sendable, Hashable {
    /// The throw-away root overlay; `boots` where the firmware starts from it.
    case root(MachineSpec.Disk, boots: Bool)
    /// The NoCloud disk: raw and read-only.
    case seed(String)
    /// A volume by its position among the machine's volumes, from 0.
    case volume(MachineSpec.Volume, position: Int)

    /// The serial number by which a guest finds the seed: a volume's file system may have the same label.
    public static let seedSerial = "kiln-seed"

    /// The name that libvirt, its events and QEMU's monitor have for the disk.
    public var alias: String {
        switch self {
        case .root: "ua-root"
        case .seed: "ua-seed"
        case .volume(let volume, _): "ua-\(volume.id)"
        }
    }

    /// The name by which libvirt tells the disks of a machine apart; in a guest the kernel may choose others.
    public var target: String {
        switch self {
        case .root: Self.target(0)
        case .seed: Self.target(1)
        case .volume(_, let position): Self.target(position + 2)
        }
    }

    /// `vda` to `vdz`, then `vdaa` and so on, as the kernel counts.
    private static func target(_ index: Int) -> String {
        let letters = Array("abcdefghijklmnopqrstuvwxyz")
        var rest = index
        var suffix = String(letters[rest % 26])
        while rest >= 26 {
            rest = rest / 26 - 1
            suffix = String(letters[rest % 26]) + suffix
        }
        return "vd" + suffix
    }

    /// - Parameter port: the place into which it is plugged; nothing means one that libvirt chooses. The root has its own.
    func element(labels: FileLabels, port: Int? = nil) -> XMLElement {
        let place = port.map { [DomainDocument.port($0)] } ?? []
        switch self {
        case .root(let disk, let boots):
            let order = boots ? [XMLElement("boot", ["order": "1"])] : []
            return element(
                disk,
                serial: MachineSpec.rootSerial,
                labels: labels,
                order + [DomainDocument.Slot.root.address]
            )
        case .seed(let path):
            return XMLElement(
                "disk",
                ["type": "file", "device": "disk"],
                [
                    XMLElement("driver", ["name": "qemu", "type": "raw"]),
                    XMLElement("source", ["file": path], labels.file),
                    XMLElement("backingStore"),
                    XMLElement("target", ["dev": target, "bus": "virtio"]),
                    XMLElement("readonly"),
                    XMLElement("serial", text: Self.seedSerial),
                    XMLElement("alias", ["name": alias]),
                ] + place
            )
        case .volume(let volume, _):
            return element(volume.disk, serial: volume.id.description, labels: labels, place)
        }
    }

    private func element(
        _ disk: MachineSpec.Disk,
        serial: String,
        labels: FileLabels,
        _ more: [XMLElement]
    ) -> XMLElement {
        let parts = [
            Self.driver,
            XMLElement("source", ["file": disk.path], labels.file),
            Self.chain(disk.backing[...], labels: labels),
            XMLElement("target", ["dev": target, "bus": "virtio"]),
            XMLElement("serial", text: serial),
            XMLElement("alias", ["name": alias]),
        ]
        return XMLElement("disk", ["type": "file", "device": "disk"], parts + more)
    }

    // `writeback` honours every flush of the guest. A host that can't write (a full disk) stops the machine instead of
    // telling the guest, whose file system would turn read-only; it goes on when there is room again. Freed blocks are
    // given back.
    private static let driver = XMLElement(
        "driver",
        ["name": "qemu", "type": "qcow2", "cache": "writeback", "error_policy": "stop", "discard": "unmap"]
    )

    /// Every file below, and an empty element as the end: QEMU is told the whole chain, so that it never follows
    /// what an image's header says.
    private static func chain(_ files: ArraySlice<String>, labels: FileLabels) -> XMLElement {
        guard let file = files.first else { return XMLElement("backingStore") }
        return XMLElement(
            "backingStore",
            ["type": "file"],
            [
                XMLElement("format", ["type": "qcow2"]),
                XMLElement("source", ["file": file], labels.file),
                chain(files.dropFirst(), labels: labels),
            ]
        )
    }
}

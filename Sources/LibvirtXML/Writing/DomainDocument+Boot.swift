internal import KilnModel

extension DomainDocument {
    /// What the machine starts from: files that QEMU loads, or the firmware and what it finds on the root disk.
    static func boot(_ boot: MachineSpec.Boot, on platform: Platform) -> [XMLElement] {
        let type = XMLElement("type", ["arch": platform.arch, "machine": platform.machine], text: "hvm")
        switch boot {
        case .direct(let kernel, let initrd, let commandLine):
            var parts = [type, XMLElement("kernel", text: kernel)]
            if let initrd { parts.append(XMLElement("initrd", text: initrd)) }
            parts.append(XMLElement("cmdline", text: commandLine))
            return [XMLElement("os", parts)]
        case .firmware(let firmware, let serial):
            let smbios = XMLElement("smbios", ["mode": "sysinfo"])
            let entry = XMLElement("entry", ["name": "serial"], text: serial)
            return [
                XMLElement("sysinfo", ["type": "smbios"], [XMLElement("system", [entry])]),
                firmware == .uefi
                    ? XMLElement("os", ["firmware": "efi"], [type, withoutSecureBoot, smbios])
                    : XMLElement("os", [type, smbios]),
            ]
        }
    }

    /// Secure boot would need SMM and enrolled keys; without this libvirt takes whichever firmware is listed first.
    private static let withoutSecureBoot = XMLElement(
        "firmware",
        [XMLElement("feature", ["enabled": "no", "name": "secure-boot"])]
    )
}

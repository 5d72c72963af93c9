internal import KilnModel

extension DomainDocument {
    /// The slots of the root bus that our fixed devices take.
    ///
    /// libvirt fills the root bus from slot 1 upwards with ports, and the chipset sits at 0x1f. A device on the root
    /// bus can't be unplugged and needs no port of its own; the guest finds the root disk before every other disk.
    enum Slot: String {
        case root = "0x18"
        case serialPorts = "0x19"
        case random = "0x1a"
        case network = "0x1e"

        var address: XMLElement {
            XMLElement(
                "address",
                ["type": "pci", "domain": "0x0000", "bus": "0x00", "slot": rawValue, "function": "0x0"]
            )
        }
    }

    static func devices(
        of spec: MachineSpec,
        emulator: String?,
        labels: FileLabels
    ) throws(XMLError) -> [XMLElement] {
        var devices = emulator.map { [XMLElement("emulator", text: $0)] } ?? []
        devices += disks(of: spec, labels: labels)
        devices += controllers(
            ports: spec.cloning == nil
                ? disks(of: spec, labels: labels).count - 1 + spec.laterVolumes : ClonePorts(spec).count
        )
        if spec.cloning == nil { devices += openNetwork(of: spec) }
        devices.append(try console(of: spec, labels: labels))
        try checkSocket(spec.agentSocket, of: "agent")
        devices.append(channel(agentPort, alias: "ua-agent", source: socket(spec.agentSocket, labels: labels)))
        try checkSocket(spec.ledgerSocket, of: "ledger")
        devices.append(channel(ledgerPort, alias: "ua-ledger", source: socket(spec.ledgerSocket, labels: labels)))
        devices.append(XMLElement("memballoon", ["model": "none"]))
        devices.append(random)
        // Through this device a guest's kernel reports its panic; without it a panic looks like a busy machine.
        devices.append(XMLElement("panic", ["model": "isa"]))
        return devices
    }

    private static func disks(of spec: MachineSpec, labels: FileLabels) -> [XMLElement] {
        var disks = [MachineDisk.root(spec.root, boots: spec.bootsFromRoot)]
        // A clone gets the others where its template stood.
        guard spec.cloning == nil else { return disks.map { $0.element(labels: labels) } }
        if let seed = spec.seed { disks.append(.seed(seed)) }
        disks += spec.volumes.enumerated().map { MachineDisk.volume($1, position: $0) }
        return disks.map { $0.element(labels: labels) }
    }

    // No more ports than disks: each is found and set up in the boot, which takes time where instructions are emulated.
    private static func controllers(ports: Int) -> [XMLElement] {
        let pci =
            [XMLElement("controller", ["type": "pci", "index": "0", "model": "pcie-root"])]
            + (0..<ports).map {
                XMLElement("controller", ["type": "pci", "index": "\($0 + 1)", "model": "pcie-root-port"])
            }
        return pci + [
            XMLElement("controller", ["type": "usb", "model": "none"]),
            XMLElement("controller", ["type": "virtio-serial", "index": "0"], [Slot.serialPorts.address]),
        ]
    }

    /// The place behind one of the ports, which libvirt numbers as its controllers.
    static func port(_ number: Int) -> XMLElement {
        XMLElement(
            "address",
            [
                "type": "pci", "domain": "0x0000", "bus": "0x" + String(number, radix: 16), "slot": "0x00",
                "function": "0x0",
            ]
        )
    }

    private static let random = XMLElement(
        "rng",
        ["model": "virtio"],
        [
            XMLElement("backend", ["model": "random"], text: "/dev/urandom"),
            XMLElement("alias", ["name": "ua-rng"]),
            Slot.random.address,
        ]
    )

    /// The serial console; libvirt adds the `<console>` that mirrors it.
    private static func console(of spec: MachineSpec, labels: FileLabels) throws(XMLError) -> XMLElement {
        try checkSocket(spec.consoleSocket, of: "console")
        return XMLElement(
            "serial",
            ["type": "unix"],
            [
                socket(spec.consoleSocket, labels: labels),
                XMLElement("log", ["file": spec.consoleLog, "append": "on"]),
                XMLElement("alias", ["name": "ua-console"]),
            ]
        )
    }

    private static func channel(_ port: String, alias: String, source: XMLElement) -> XMLElement {
        let parts = [
            XMLElement("target", ["type": "virtio", "name": port]), XMLElement("alias", ["name": alias]),
        ]
        return XMLElement("channel", ["type": "unix"], [source] + parts)
    }

    private static func socket(_ path: String, labels: FileLabels) -> XMLElement {
        XMLElement("source", ["mode": "bind", "path": path], labels.file)
    }

    /// sockaddr_un has 108 bytes for the path, one of them for the end (unix(7)).
    static func checkSocket(_ path: String, of purpose: String) throws(XMLError) {
        guard (1..<108).contains(path.utf8.count) else {
            throw XMLError(
                .socketPath,
                "the path of the \(purpose) socket has \(path.utf8.count) bytes; expected 1 to 107"
            )
        }
    }
}

extension MachineSpec {
    fileprivate var bootsFromRoot: Bool {
        switch boot {
        case .direct: false
        case .firmware: true
        }
    }
}

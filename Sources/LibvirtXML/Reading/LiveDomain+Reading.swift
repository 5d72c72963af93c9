internal import KilnModel

extension LiveDomain {
    static func machine(in domain: XMLElement) -> MachineID? {
        let ours = domain.child("metadata")?.children.first {
            $0.namespace?.uri == DomainDocument.metadataNamespace.uri && $0.name == "machine"
        }
        guard let ours, let lab = name(ours["lab"]), let server = name(ours["server"]),
            let generation = ours["generation"].flatMap(Int.init), generation > 0
        else { return nil }
        guard let ordinal = ours["member"].map(Int.init) ?? 0, (0..<MemberID.most).contains(ordinal) else { return nil }
        return MemberID(lab: lab, server: server, ordinal: ordinal).machine(Generation(generation))
    }

    private static func name(_ text: String?) -> Name? {
        text.flatMap { try? Name($0) }
    }

    /// The cards that stand only among QEMU's arguments: an isolated machine's, and those on networks of its lab.
    static func passedInterfaces(in domain: XMLElement) -> [Interface] {
        let arguments = domain.children
            .filter { $0.name == "commandline" && $0.namespace?.uri == DomainDocument.qemuNamespace.uri }
            .flatMap { $0.all("arg") }.compactMap { $0["value"] }
        return zip(arguments, arguments.dropFirst()).compactMap { option, value in
            guard option == "-device", value.hasPrefix("virtio-net-pci,") else { return nil }
            let fields = value.split(separator: ",").map { $0.split(separator: "=", maxSplits: 1).map(String.init) }
            func field(_ key: String) -> String? { fields.first { $0.count == 2 && $0[0] == key }?[1] }
            return field("mac").map { Interface(mac: $0.lowercased(), alias: field("id")) }
        }
    }
}

extension LiveDomain.Disk {
    init?(_ element: XMLElement) {
        guard let target = element.child("target")?["dev"] else { return nil }
        self.target = target
        alias = element.child("alias")?["name"]
        path = element.child("source")?["file"]
        backing = Self.chain(below: element)
        serial = element.child("serial")?.text
        isReadOnly = element.child("readonly") != nil
    }

    private static func chain(below element: XMLElement) -> [String] {
        guard let store = element.child("backingStore"), let file = store.child("source")?["file"] else { return [] }
        return [file] + chain(below: store)
    }
}

extension LiveDomain.Channel {
    init?(_ element: XMLElement) {
        guard element["type"] == "unix", let port = element.child("target")?["name"] else { return nil }
        self.port = port
        socket = element.child("source")?["path"]
        isConnected = element.child("target")?["state"].map { $0 == "connected" }
    }
}

extension LiveDomain.Interface {
    init?(_ element: XMLElement) {
        guard let mac = element.child("mac")?["address"] else { return nil }
        self.mac = mac.lowercased()
        alias = element.child("alias")?["name"]
    }
}

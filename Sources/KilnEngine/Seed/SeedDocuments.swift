import Foundation
import KilnModel

/// The NoCloud documents of one generation.
///
/// All are JSON, which is also YAML, so that a small guest can read them with `jq`. The user's cloud-config stays as it is,
/// but for lists that Kiln has to add to: mounts, their guard, names of servers and SSH keys. To user-data of another form nothing is added; what
/// is Kiln's travels beside it, as vendor-data.
/// https://cloudinit.readthedocs.io/en/latest/reference/datasources/nocloud.html
struct SeedDocuments {
    let record: GenerationRecord
    let mounts: [GuestMount]
    /// Whether the guest boots before it gets its volumes.
    let isWarm: Bool
    let hostKey: SSHKeyPair?
    let userKey: String?
    /// The host's port by server and port name, for references such as `${servers.db.ports.sql}`.
    let ports: [Name: [Name: UInt16]]
    /// Its cards on networks of the lab, and whom it reaches there.
    var network = GuestNetwork.none
    /// The external services of its run, for references such as `${external.db.url}`.
    var externals: [Name: ExternalAccess] = [:]

    /// The files of the seed disk by name.
    func files() throws -> [String: [UInt8]] {
        var files = ["meta-data": try text(metaData()), "network-config": try text(networkConfig)]
        let config = try userData()
        guard let document = record.spec.userDataDocument else {
            files["user-data"] = "#cloud-config\n" + (try text(.object(config)))
            return files.mapValues { Array($0.utf8) }
        }
        if !config.isEmpty { files["vendor-data"] = "#cloud-config\n" + (try text(.object(mergeable(config)))) }
        var bytes = files.mapValues { Array($0.utf8) }
        bytes["user-data"] = try document.text.map { Array(try resolve($0).utf8) } ?? document.bytes
        return bytes
    }

    private func metaData() -> JSONValue {
        .object([
            "instance-id": .string(record.instanceID),
            "local-hostname": .string(record.machine.member.ownName.text),
        ])
    }

    // A match by name left the card down on Debian 13, and 'set-name' delays the boot by two minutes.
    private var networkConfig: JSONValue {
        let first = JSONValue.object([
            "match": .object(["macaddress": .string(MACAddress(of: record.machine).description)]),
            "dhcp4": .bool(true),
        ])
        let cards = network.ethernets.merging(["nic0": first]) { $1 }
        return .object(["version": .int(2), "ethernets": .object(cards)])
    }

    // Where both have a list, Kiln's elements come first; else the user's word counts. cloud-init takes 'merge_how' away where it
    // merges the parts of vendor-data, and then heeds 'merge_type' where it merges the result with user-data.
    // https://cloudinit.readthedocs.io/en/latest/reference/merging.html
    private func mergeable(_ config: [String: JSONValue]) -> [String: JSONValue] {
        let rule = JSONValue.string("list(prepend)+dict(no_replace,recurse_list)+str()")
        return config.merging(["merge_how": rule, "merge_type": rule]) { $1 }
    }

    private func userData() throws -> [String: JSONValue] {
        var map: [String: JSONValue] = [:]
        if case .object(let users)? = try record.spec.userData?.mapStrings(resolve) { map = users }
        if let command = network.hostsCommand { try prepend(command, to: "bootcmd", of: &map) }
        if !mounts.isEmpty { try add(mounts, to: &map) }
        if record.disk != nil, record.cloudInit == .full {
            // Also where the image turns it off, because its disk is usually as large as what is on it.
            map["growpart"] = map["growpart"] ?? .object(["mode": .string("auto")])
            map["resize_rootfs"] = map["resize_rootfs"] ?? .bool(true)
        }
        if let userKey {
            try append([.string(userKey)], to: "ssh_authorized_keys", of: &map)
            map["disable_root"] = map["disable_root"] ?? .bool(false)
        }
        if let hostKey {
            map["ssh_keys"] = .object([
                "ed25519_private": .string(hostKey.privateKey), "ed25519_public": .string(hostKey.publicKey),
            ])
        }
        return map
    }

    // cloud-init drops a mount whose device is not there, so a warm guest gets units, which wait for theirs. The reader of
    // the subset keeps them.
    private func add(_ mounts: [GuestMount], to map: inout [String: JSONValue]) throws {
        if record.cloudInit == .full { try prepend(MountGuard.command(mounts), to: "bootcmd", of: &map) }
        guard isWarm, record.cloudInit == .full else {
            return try insert(mounts, to: &map)
        }
        let files = mounts.map(\.unitFile).map { file in
            JSONValue.object(["path": .string(file.path), "content": .string(file.content)])
        }
        try append(files, to: "write_files", of: &map)
    }

    // The first boot mounts in this order. What the user mounts below a volume comes after it, or it would be hidden.
    private func insert(_ mounts: [GuestMount], to map: inout [String: JSONValue]) throws {
        var entries = try list("mounts", of: map)
        for mount in mounts {
            let place = entries.firstIndex { entry in
                guard let fields = entry.array, fields.count > 1 else { return false }
                return fields[1].string?.hasPrefix(mount.path + "/") == true
            }
            entries.insert(mountEntry(mount), at: place ?? entries.endIndex)
        }
        map["mounts"] = .array(entries)
    }

    // 'nofail': a guest without its volume still boots far enough to be looked at; readiness finds out. A mount point on
    // another volume is not there before that is mounted.
    private func mountEntry(_ mount: GuestMount) -> JSONValue {
        let isNested = mounts.contains { mount.path.hasPrefix($0.path + "/") }
        let makesItsPlace = isNested && record.cloudInit == .full ? ",X-mount.mkdir" : ""
        let options = "defaults,nofail" + makesItsPlace
        let fields = [mount.id.guestDevice, mount.path, mount.fileSystem.rawValue, options, "0", "0"]
        return .array(fields.map { .string($0) })
    }

    private func append(_ elements: [JSONValue], to key: String, of map: inout [String: JSONValue]) throws {
        map[key] = .array(try list(key, of: map) + elements)
    }

    private func prepend(_ element: JSONValue, to key: String, of map: inout [String: JSONValue]) throws {
        map[key] = .array([element] + (try list(key, of: map)))
    }

    private func list(_ key: String, of map: [String: JSONValue]) throws -> [JSONValue] {
        // A key with nothing behind it declares nothing.
        guard let value = map[key], value != .null else { return [] }
        guard let present = value.array else {
            throw KilnError(
                .userDataNotAList,
                "'\(key)' in the user-data of \(record.machine.member) is not a list, so Kiln can't add to it",
                hint: "write it as a list, or leave it out",
                exit: .invalidFile
            )
        }
        return present
    }

    private func resolve(_ text: String) throws -> String {
        let text = MemberReference.replacing(in: externals.put(into: text), with: record.machine.member)
        return try PortReference.replacing(in: text) { reference in
            guard let port = ports[reference.server]?[reference.port] else {
                throw KilnError(
                    .userDataReferenceUnknown,
                    "\(reference) in the user-data of \(record.machine.member) names no published port",
                    hint: "write ${servers.SERVER.ports.PORT}",
                    exit: .invalidFile
                )
            }
            return String(port)
        }
    }

    private func text(_ value: JSONValue) throws -> String { try SeedText.json(value) + "\n" }
}

import Foundation
import KilnModel
import Testing

@testable import KilnEngine

@Suite("Seed documents")
struct SeedDocumentsTests {
    private let volume = VolumeID()

    private func documents(
        userData: JSONValue?,
        document: UserDataDocument? = nil,
        hostKey: SSHKeyPair? = nil,
        isWarm: Bool = false,
        cloudInit: ImageManifest.CloudInit = .subset,
        path: String = "/data",
        inner: String? = nil,
        disk: ByteCount? = nil,
        ports: [Name: [Name: UInt16]] = [:]
    ) throws -> [String: String] {
        let machine = MachineID(
            member: MemberID(lab: try Name("demo"), server: try Name("web")),
            generation: Generation(3)
        )
        let digest = try #require(ImageDigest(String(repeating: "a", count: 64)))
        let record = GenerationRecord(
            machine: machine,
            spec: ServerSpec(image: try ImageReference("tiny"), userData: userData, userDataDocument: document),
            image: ServerStatus.Image(name: try Name("tiny"), version: "1", digest: digest),
            boot: .direct(commandLine: "quiet"),
            cloudInit: cloudInit,
            files: GenerationRecord.Files(disk: "/disk", kernel: nil, initrd: nil),
            size: MachineSize(memory: .mebibytes(256), processors: 1),
            disk: disk,
            uuid: UUID(),
            instanceID: "web-3-abc",
            hostKey: hostKey?.publicKey,
            created: Date(),
            ports: nil
        )
        let mounts =
            [GuestMount(id: volume, path: path, fileSystem: .ext4)]
            + (inner.map { [GuestMount(id: VolumeID(), path: $0, fileSystem: .ext4)] } ?? [])
        return try SeedDocuments(
            record: record,
            mounts: mounts,
            isWarm: isWarm,
            hostKey: hostKey,
            userKey: nil,
            ports: ports
        )
        .files()
        .mapValues { String(decoding: $0, as: UTF8.self) }
    }

    @Test("a disk of its own is grown into at the first boot, unless the user says otherwise")
    func disk() throws {
        let grown = try userData(documents(userData: nil, cloudInit: .full, disk: .mebibytes(1024)))
        #expect(grown["resize_rootfs"] == .bool(true) && grown["growpart"]?["mode"] == .string("auto"))
        let own = JSONValue.object(["resize_rootfs": .string("noblock")])
        #expect(
            try userData(documents(userData: own, cloudInit: .full, disk: .mebibytes(1024)))["resize_rootfs"]
                == .string("noblock")
        )
        #expect(try userData(documents(userData: nil, cloudInit: .full))["resize_rootfs"] == nil)
    }

    private func json(_ text: String?) throws -> JSONValue {
        try JSONDecoder().decode(JSONValue.self, from: Data(try #require(text).utf8))
    }

    private func userData(_ files: [String: String]) throws -> JSONValue {
        let text = try #require(files["user-data"])
        #expect(text.hasPrefix("#cloud-config\n"))
        return try json(String(text.dropFirst("#cloud-config\n".count)))
    }

    @Test("the instance-id and the host name are those of the generation")
    func metaData() throws {
        let meta = try json(try documents(userData: nil)["meta-data"])
        #expect(meta["instance-id"] == .string("web-3-abc"))
        #expect(meta["local-hostname"] == .string("web"))
    }

    @Test("a volume is mounted by its serial number, after the user's own mounts")
    func mounts() throws {
        let own: JSONValue = .array([.string("tmpfs"), .string("/scratch")])
        let found = try userData(try documents(userData: .object(["mounts": .array([own])])))["mounts"]?.array
        #expect(found?.first == own)
        #expect(found?.last?.array?.prefix(2) == [.string("/dev/disk/by-id/virtio-\(volume)"), .string("/data")])
    }

    @Test(
        "what the user mounts below a volume comes after it, and a mount point on a volume is made when that is mounted"
    )
    func nestedMounts() throws {
        let own: JSONValue = .array([.string("tmpfs"), .string("/data/tmp")])
        let user: JSONValue = .object(["mounts": .array([own])])
        for (cloudInit, options) in [(ImageManifest.CloudInit.full, ",X-mount.mkdir"), (.subset, "")] {
            let files = try documents(userData: user, cloudInit: cloudInit, inner: "/data/cache")
            let found = try #require(try userData(files)["mounts"]?.array)
            #expect(found.map { $0.array?[1].string } == ["/data", "/data/tmp", "/data/cache"])
            #expect(
                found.map { $0.array?.dropFirst(3).first?.string } == [
                    "defaults,nofail", nil, "defaults,nofail" + options,
                ]
            )
        }
    }

    @Test("the first command of each boot keeps what is below the mount points from being written, and fails for all")
    func guarded() throws {
        let user: JSONValue = .object(["bootcmd": .array([.string("true")])])
        let commands = try userData(try documents(userData: user, cloudInit: .full, path: "/it's"))["bootcmd"]?.array
        #expect(commands?.count == 2 && commands?.last == .string("true"))
        let guardian = try #require(commands?.first?.string)
        #expect(guardian.contains(#"-s -- '/it'\''s' <<'KILN' || exit 1"#))
        // A guest with the subset has an initrd that does it, and no program to do it later.
        #expect(try userData(try documents(userData: nil))["bootcmd"] == nil)
    }

    @Test("a warm guest with a full cloud-init gets a mount unit by serial number, and no mount that would wait for it")
    func warmMount() throws {
        let found = try userData(
            try documents(userData: nil, isWarm: true, cloudInit: .full, path: "/srv/my data-%1")
        )
        #expect(found["mounts"] == nil)
        let file = try #require(found["write_files"]?.array?.first)
        // As 'systemd-escape --path' writes it.
        #expect(file["path"] == .string(#"/etc/systemd/system/srv-my\x20data\x2d\x251.mount"#))
        let lines = try #require(file["content"]?.string).split(separator: "\n")
        #expect(lines.contains("What=/dev/disk/by-id/virtio-\(volume)"))
        #expect(lines.contains("Where=/srv/my data-%%1") && lines.contains("Options=defaults,nofail"))
        #expect(lines.last?.hasPrefix(#"WantedBy=dev-disk-by\x2did-virtio\x2d"#) == true)
    }

    @Test("the network is configured by hardware address, and no name is set")
    func network() throws {
        let text = try #require(try documents(userData: nil)["network-config"])
        let card = try json(text)["ethernets"]?["nic0"]
        #expect(card?["match"]?["macaddress"]?.string?.hasPrefix("52:54:00:") == true)
        #expect(!text.contains("set-name"))
    }

    @Test("a reference to a published port becomes its number, and an unknown one is refused")
    func references() throws {
        let ports = [try Name("db"): [try Name("sql"): UInt16(20123)]]
        let good: JSONValue = .object(["runcmd": .array([.string("connect 10.0.2.2:${servers.db.ports.sql} ${HOME}")])])
        let found = try userData(try documents(userData: good, ports: ports))["runcmd"]
        #expect(found == .array([.string("connect 10.0.2.2:20123 ${HOME}")]))
        let bad: JSONValue = .object(["runcmd": .array([.string("${servers.db.ports.sqll}")])])
        let error = #expect(throws: KilnError.self) { try documents(userData: bad, ports: ports) }
        #expect(error?.code == .userDataReferenceUnknown)
    }

    @Test("user-data of another form stays as it is, and what is Kiln's travels beside it and goes first")
    func document() throws {
        let script = UserDataDocument(Array("#!/bin/sh\r\necho \u{85} ${HOME} ${servers.db.ports.sql} \n\n".utf8))
        let files = try documents(
            userData: nil,
            document: script,
            hostKey: SSHKeyPair(privateKey: "CANARY", publicKey: "public"),
            cloudInit: .full,
            ports: [try Name("db"): [try Name("sql"): 20123]]
        )
        #expect(files["user-data"] == "#!/bin/sh\r\necho \u{85} ${HOME} 20123 \n\n")
        let vendor = try #require(files["vendor-data"])
        #expect(vendor.hasPrefix("#cloud-config\n"))
        let own = try json(String(vendor.dropFirst("#cloud-config\n".count)))
        #expect(own["bootcmd"]?.array?.first?.string?.contains("kiln-guest: unguarded mount points") == true)
        #expect(own["mounts"]?.array?.count == 1 && own["ssh_keys"]?["ed25519_private"] == "CANARY")
        // Taken away by the first merge, and by the second.
        #expect(own["merge_how"] == own["merge_type"] && own["merge_how"]?.string?.hasPrefix("list(prepend)") == true)
    }

    @Test("to a reader of YAML 1.1 every text means what it means in JSON, and is no mail")
    func characters() throws {
        let text =
            "\u{7f}\u{80}\u{85}\u{9f}\u{a0}\u{2028}\u{2029}\u{feff}\u{fffd}\u{ffff}\u{1f600}\t\r\n \u{1} % --- MIME-Version:\u{301} "
        let written = try SeedText.json(["a": .string(text)])
        // https://yaml.org/spec/1.1/#c-printable, without the breaks of lines.
        let isPlain = written.unicodeScalars.allSatisfy { scalar in
            switch scalar.value {
            case 0x0a, 0x20...0x7e, 0xa0...0x2027, 0x202a...0xd7ff, 0xe000...0xfefe, 0xff00...0xfffd, 0x10000...: true
            default: false
            }
        }
        #expect(isPlain && !written.lowercased().contains("mime-version"))
        let read = try json(written)["a"]?.string
        #expect(read?.unicodeScalars.elementsEqual(text.unicodeScalars) == true)
    }

    @Test("the private host key is in user-data and nowhere else")
    func hostKey() throws {
        let files = try documents(userData: nil, hostKey: SSHKeyPair(privateKey: "CANARY", publicKey: "public"))
        #expect(files.filter { $0.value.contains("CANARY") }.keys.sorted() == ["user-data"])
    }

    @Test("a list that is left empty is an empty one")
    func leftEmpty() throws {
        let empty = JSONValue.object(["mounts": .null, "bootcmd": .null, "write_files": .null])
        let mounts = try userData(documents(userData: empty))["mounts"]?.array
        #expect(mounts?.count == 1)
    }

    @Test("mounts that are no list are refused, not dropped")
    func notAList() {
        let error = #expect(throws: KilnError.self) {
            try documents(userData: .object(["mounts": .string("/dev/vdb")]))
        }
        #expect(error?.code == .userDataNotAList)
    }
}

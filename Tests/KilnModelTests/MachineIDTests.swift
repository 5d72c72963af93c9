import KilnModel
import Testing

@Suite struct MachineIDTests {
    @Test("no two machines share a domain name, a description or, in a lab, a server id")
    func injective() throws {
        let names = try ["a", "b", "a-b", "a-1", "a1", "a-b-a", "b-a", "kiln"].map { try Name($0) }
        var domains: Set<String> = []
        var descriptions: Set<String> = []
        var count = 0
        for lab in names {
            for server in names {
                for generation in [1, 2, 11, 12, 111] {
                    let machine = MemberID(lab: lab, server: server).machine(Generation(generation))
                    domains.insert(machine.domainName)
                    descriptions.insert(machine.description)
                    count += 1
                }
            }
        }
        #expect(domains.count == count)
        #expect(descriptions.count == count)
    }

    @Test("a domain name is one path component and one XML text")
    func plain() throws {
        let machine = MemberID(lab: try Name("lab"), server: try Name("web")).machine(Generation(3))
        #expect(machine.domainName == "kiln.lab.web.3")
        #expect(MachineID(domainName: "kiln.lab.web.3") == machine)
    }

    @Test(
        "a domain of another name is no machine's",
        arguments: [
            "", "kiln", "kiln.lab.web", "kiln.lab.web.0", "kiln.lab.web.-1", "kiln.lab.web.03",
            "kiln.lab.web.+3", "kiln.lab..3", "kiln..web.3", "kiln.Lab.web.3", "other.lab.web.3", "kiln.lab.web.3 ",
            "kiln.lab.web.99999999999999999999",
        ]
    )
    func foreign(_ name: String) {
        #expect(MachineID(domainName: name) == nil)
    }

    @Test("a machine's hardware address is always the same, in QEMU's range, and its successor's differs")
    func mac() throws {
        let id = MemberID(lab: try Name("lab"), server: try Name("web"))
        let first = MACAddress(of: id.machine(Generation(1)))
        #expect(first == MACAddress(of: id.machine(Generation(1))))
        #expect(first != MACAddress(of: id.machine(Generation(2))))
        #expect(first.description.wholeMatch(of: /52:54:00(:[0-9a-f]{2}){3}/) != nil)
    }

    @Test("a volume id fits the 20 bytes of a virtio serial number and can be read back")
    func volumeID() {
        let id = VolumeID()
        #expect(id.description.utf8.count == 17)
        #expect(VolumeID(id.description) == id)
        #expect(id != VolumeID())
        #expect(id.guestDevice == "/dev/disk/by-id/virtio-\(id)")
        for text in [
            "", "v", "v123", "x0123456789abcdef", "v0123456789abcdeF", "v0123456789abcdef0", "v../../../../../..",
        ] {
            #expect(VolumeID(text) == nil, "\(text)")
        }
    }
}

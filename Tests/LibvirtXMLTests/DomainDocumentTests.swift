import Foundation
import KilnModel
import Testing

@testable import LibvirtXML

@Suite("The document of a machine")
struct DomainDocumentTests {
    @Test("every combination of boot, acceleration, network, seed, user and volumes is valid by libvirt's schema")
    func everyCombinationIsValid() throws {
        let machines = try Machines.everyCombination()
        #expect(machines.count == 256)
        for machine in machines {
            for emulator in [nil, "/usr/bin/qemu-system-x86_64"] {
                let xml = try DomainDocument.xml(for: machine, emulator: emulator)
                #expect(try Schema.domain.accepts(xml), "\(xml)")
            }
        }
    }

    @Test(
        "cards on networks of the lab are passed to QEMU, beside the first one, and are valid by libvirt's schema",
        arguments: ServerSpec.Network.allCases,
        [1, 2, 8]
    )
    func labNetworks(network: ServerSpec.Network, count: Int) throws {
        let machine = try Machines.machine(network: network, cards: Machines.cards(count))
        let xml = try DomainDocument.xml(for: machine)
        #expect(try Schema.domain.accepts(xml), "\(xml)")
        let macs = try LiveDomain(xml: xml).interfaces.map(\.mac)
        #expect(macs == [machine.mac.description] + machine.cards.map(\.mac.description))
        let arguments = try XMLElement.parsed(xml).children.filter { $0.name == "commandline" }
            .flatMap { $0.all("arg") }.compactMap { $0["value"] }
        let sockets = "local.type=unix,local.path=/machines,,x/0.card,remote.type=unix,remote.path=/machines,,x/0.port"
        #expect(arguments.contains("dgram,id=hostua-lab0,\(sockets)"))
        let places = arguments.filter { $0.hasPrefix("virtio-net-pci") }.flatMap { $0.split(separator: ",") }
            .filter { $0.hasPrefix("addr=") }
        #expect(Set(places).count == places.count)
    }

    @Test("more cards than there are places for, and paths that no socket can have, are refused")
    func impossibleCards() throws {
        #expect(throws: XMLError.self) { try DomainDocument.xml(for: Machines.machine(cards: Machines.cards(9))) }
        let first = try #require(try Machines.cards(1).first)
        let long = "/" + String(repeating: "x", count: 107)
        let card = MachineSpec.Card(network: first.network, mac: first.mac, socket: first.socket, port: long)
        #expect(throws: XMLError.self) { try DomainDocument.xml(for: Machines.machine(cards: [card])) }
    }

    @Test(
        "every processor model is valid by libvirt's schema, and is what it says",
        arguments: [
            (nil, MachineSpec.Acceleration.tcg, "custom", "qemu64", ["ssse3", "sse4.1", "sse4.2", "popcnt"]),
            (.level2, .tcg, "custom", "qemu64", ["ssse3", "sse4.1", "sse4.2", "popcnt"]),
            (.level2, .kvm, "custom", "qemu64", ["ssse3", "sse4.1", "sse4.2", "popcnt"]),
            (.named("EPYC"), .tcg, "custom", "EPYC", []), (.named("EPYC"), .kvm, "custom", "EPYC", []),
            (.host, .tcg, "maximum", nil, []), (.level3, .tcg, "maximum", nil, []),
            (.host, .kvm, "host-passthrough", nil, []),
            (nil, .kvm, "host-passthrough", nil, []),
        ] as [(ProcessorModel?, MachineSpec.Acceleration, String, String?, [String])]
    )
    func processors(
        cpu: ProcessorModel?,
        acceleration: MachineSpec.Acceleration,
        mode: String,
        model: String?,
        features: [String]
    ) throws {
        let xml = try DomainDocument.xml(for: Machines.machine(acceleration: acceleration, cpu: cpu))
        #expect(try Schema.domain.accepts(xml), "\(xml)")
        let element = try #require(try XMLElement.parsed(xml).child("cpu"))
        #expect(element["mode"] == mode && element.child("model")?.text == model)
        #expect(element.all("feature").map { $0["name"] } == features)
    }

    @Test("the third level has all of the second")
    func thirdLevel() throws {
        let xml = try DomainDocument.xml(for: Machines.machine(acceleration: .kvm, cpu: .level3))
        #expect(try Schema.domain.accepts(xml))
        let features = try XMLElement.parsed(xml).child("cpu")?.all("feature").compactMap { $0["name"] } ?? []
        #expect(Set(features).isSuperset(of: ["ssse3", "popcnt", "avx2", "fma", "bmi2", "movbe", "abm", "xsave"]))
    }

    @Test("the processor models that libvirt offers are read; another document is refused")
    func capabilities() throws {
        let models = "<model usable='yes'>EPYC</model><model usable='no'>Skylake-Client</model>"
        let host = "<mode name='host-model'><model>Broadwell</model></mode><mode name='custom'>\(models)</mode>"
        let read = try DomainCapabilities(xml: "<domainCapabilities><cpu>\(host)</cpu></domainCapabilities>")
        #expect(read.processorModels == ["EPYC", "Skylake-Client"])
        #expect(throws: XMLError.self) { try DomainCapabilities(xml: "<domain/>") }
    }

    @Test("the schema refuses a document that libvirt would refuse")
    func schemaCanFail() throws {
        let xml = try DomainDocument.xml(for: Machines.machine())
        #expect(try !Schema.domain.accepts(xml.replacingOccurrences(of: "<vcpu>2<", with: "<vcpu>many<")))
    }

    @Test("the reader finds what the writer wrote")
    func roundTrip() throws {
        for machine in try Machines.everyCombination() {
            let read = try LiveDomain(xml: DomainDocument.xml(for: machine))
            #expect(read.name == "kiln.lab.web.3")
            #expect(read.uuid == machine.uuid)
            #expect(read.machine == machine.id)
            #expect(read.interfaces == [.init(mac: machine.mac.description, alias: "ua-net0")])
            #expect(read.consoleSocket == machine.consoleSocket)
            #expect(read.consoleLog == machine.consoleLog)
            #expect(read.ledger == .init(port: "kiln.ledger", socket: machine.ledgerSocket, isConnected: nil))
            #expect(read.agent == .init(port: "org.qemu.guest_agent.0", socket: machine.agentSocket, isConnected: nil))
            #expect(read.disks.first?.path == machine.root.path)
            #expect(read.disks.first?.backing == machine.root.backing)
            #expect(read.disks.filter(\.isReadOnly).map(\.path) == (machine.seed.map { [$0] } ?? []))
            let volumes = read.disks.filter { $0.serial?.hasPrefix("v") ?? false }
            #expect(volumes.map(\.serial) == machine.volumes.map(\.id.description))
            #expect(volumes.map(\.path) == machine.volumes.map(\.disk.path))
            #expect(volumes.map(\.backing) == machine.volumes.map(\.disk.backing))
            #expect(Set(read.disks.map(\.target)).count == read.disks.count)
        }
    }

    @Test("every chain of files ends with an empty backing store")
    func chainsAreTerminated() throws {
        for machine in try Machines.everyCombination() {
            let domain = try XMLElement.parsed(DomainDocument.xml(for: machine))
            for disk in domain.child("devices")?.all("disk") ?? [] {
                var end = try #require(disk.child("backingStore"))
                while let next = end.child("backingStore") { end = next }
                #expect(end == XMLElement("backingStore"))
            }
        }
    }

    @Test("each disk that can be plugged or unplugged has a port, those that come later too, and there are no others")
    func ports() throws {
        for (seed, volumes, later, ports) in [
            (nil, 0, 0, 0), ("/seed", 0, 0, 1), ("/seed", 3, 0, 4), ("/seed", 0, 3, 4),
        ] {
            var machine = try Machines.machine(seed: seed, volumes: volumes)
            machine.laterVolumes = later
            let domain = try XMLElement.parsed(DomainDocument.xml(for: machine))
            let controllers = domain.child("devices")?.all("controller") ?? []
            #expect(controllers.filter { $0["model"] == "pcie-root-port" }.count == ports)
            #expect(controllers.filter { $0["model"] == "pcie-root" }.count == 1)
        }
    }

    @Test("an isolated machine has its card only behind a restricted network, under the same names")
    func isolated() throws {
        let domain = try XMLElement.parsed(DomainDocument.xml(for: Machines.machine(network: .isolated)))
        #expect(domain.child("devices")?.child("interface") == nil)
        let arguments = domain.child("commandline")?.all("arg").compactMap { $0["value"] } ?? []
        #expect(arguments.prefix(2) == ["-netdev", "user,id=\(DomainDocument.netdev),restrict=on"])
        #expect(arguments.count == 4)
        #expect(arguments.last?.contains("netdev=\(DomainDocument.netdev),id=ua-net0,") == true)
    }

    @Test("no disk is ever shareable, and no file is labelled where the domain's label forbids it")
    func labels() throws {
        for machine in try Machines.everyCombination() {
            let xml = try DomainDocument.xml(for: machine)
            #expect(!xml.contains("shareable"))
            let domain = try XMLElement.parsed(xml)
            // libvirt: "label overrides require relabeling to be enabled at the domain level".
            if domain.child("seclabel")?["relabel"] != "yes" {
                #expect(!xml.contains("<seclabel model=\"dac\""))
            }
            #expect((domain.child("seclabel") != nil) == (machine.user != nil))
        }
    }

    @Test("a UEFI machine with a user keeps libvirt from each file of ours, and only from those")
    func labelsOfUEFI() throws {
        let user = MachineSpec.User(uid: 999, gid: 995)
        let machine = try Machines.machine(boot: .firmware(.uefi, serial: "s"), user: user)
        let domain = try XMLElement.parsed(DomainDocument.xml(for: machine))
        #expect(domain.child("seclabel")?.child("label")?.text == "+999:+995")
        let devices = try #require(domain.child("devices"))
        let sources =
            devices.all("disk").compactMap { $0.child("source") }
            + devices.all("disk").compactMap { $0.child("backingStore")?.child("source") }
        #expect(sources.count == 4)
        #expect(sources.allSatisfy { $0.child("seclabel")?["relabel"] == "no" })
    }

    @Test("socket paths that the kernel would refuse are refused", arguments: ["", String(repeating: "x", count: 108)])
    func socketPaths(path: String) throws {
        #expect(throws: XMLError.self) { try DomainDocument.xml(for: Machines.machine(ledgerSocket: path)) }
        #expect(throws: XMLError.self) { try DomainDocument.xml(for: Machines.machine(consoleSocket: path)) }
    }

    @Test("the longest socket path is accepted")
    func longestSocketPath() throws {
        let path = String(repeating: "x", count: 107)
        #expect(
            try LiveDomain(xml: DomainDocument.xml(for: Machines.machine(ledgerSocket: path))).ledger?.socket == path
        )
    }

    @Test("the document of a disk is the element of the machine's document")
    func deviceDocuments() throws {
        for machine in [try Machines.machine(volumes: 3), try Machines.machine(boot: .firmware(.uefi, serial: "s"))] {
            let devices = try #require(try XMLElement.parsed(DomainDocument.xml(for: machine)).child("devices"))
            let seed = MachineDisk.seed(try #require(machine.seed))
            let disks = [seed] + machine.volumes.enumerated().map { MachineDisk.volume($1, position: $0) }
            let documents = try disks.map { try XMLElement.parsed(DeviceDocument.disk($0, of: machine)) }
            #expect(documents == Array(devices.all("disk").dropFirst()))
        }
    }

    @Test("disks are named as the kernel counts", arguments: [(0, "vdc"), (23, "vdz"), (24, "vdaa"), (50, "vdba")])
    func targets(position: Int, target: String) throws {
        let volume = try #require(try Machines.volumes(1).first)
        #expect(MachineDisk.volume(volume, position: position).target == target)
    }
}

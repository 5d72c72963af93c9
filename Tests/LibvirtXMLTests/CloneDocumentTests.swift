import Foundation
import KilnModel
import Testing

@testable import LibvirtXML

/// Machines that are held, and machines that go on where one was.
@Suite struct CloneDocumentTests {
    private func arguments(_ xml: String) throws -> [String] {
        try XMLElement.parsed(xml).children.filter { $0.name == "commandline" }.flatMap { $0.all("arg") }
            .compactMap { $0["value"] }
    }

    private func ports(_ xml: String) throws -> Int {
        try XMLElement.parsed(xml).child("devices")?.all("controller").count { $0["model"] == "pcie-root-port" } ?? 0
    }

    /// A template and a clone of it: the clone has all that the template has a place for.
    private func pair(_ network: ServerSpec.Network, _ cards: Int) throws -> (MachineSpec, MachineSpec) {
        var clone = try Machines.machine(volumes: 2, network: network, cards: Machines.cards(cards))
        clone.cloning = .clone(memory: "/templates/a,b/memory", isSealed: false)
        var template = clone
        template.seed = nil
        template.laterVolumes = template.volumes.count
        template.volumes = []
        template.cloning = .template(memory: "/templates/a,b/memory")
        return (template, clone)
    }

    @Test(
        "a template and its clone are valid, have no seed, card or volume, and the same place for each",
        arguments: ServerSpec.Network.allCases,
        [0, 3]
    )
    func sameMachine(network: ServerSpec.Network, cards: Int) throws {
        let (template, clone) = try pair(network, cards)
        let documents = try [template, clone].map { try DomainDocument.xml(for: $0) }
        for xml in documents {
            #expect(try Schema.domain.accepts(xml), "\(xml)")
            let domain = try LiveDomain(xml: xml)
            #expect(domain.disks.map(\.serial) == [MachineSpec.rootSerial] && domain.interfaces.isEmpty)
            #expect(try ports(xml) == 1 + 1 + 2 + cards)
        }
    }

    @Test(
        "a template shares its memory's file, and a clone keeps to itself what it changes and waits for what devices hold"
    )
    func memory() throws {
        let (template, clone) = try pair(.open, 0)
        let file = "memory-backend-file,id=kiln-memory,size=268435456,mem-path=/templates/a,,b/memory"
        let machine = ["-machine", "memory-backend=kiln-memory"]
        #expect(try arguments(DomainDocument.xml(for: template)) == ["-object", file + ",share=on"] + machine)
        let incoming = ["-incoming", "defer"]
        #expect(try arguments(DomainDocument.xml(for: clone)) == ["-object", file + ",share=off"] + machine + incoming)
        var sealed = clone
        sealed.cloning = .clone(memory: "/templates/a,b/memory", isSealed: true)
        #expect(try arguments(DomainDocument.xml(for: sealed))[1] == file + ",share=off,readonly=on,rom=off")
    }

    @Test("no two devices of a clone are plugged into one place", arguments: ServerSpec.Network.allCases, [0, 1, 8])
    func places(network: ServerSpec.Network, cards: Int) throws {
        let (_, clone) = try pair(network, cards)
        let ports = ClonePorts(clone)
        var places = [ports.seed] + (0..<2).map(ports.volume)
        if network == .open { places.append(ports.card) }
        let passed = try PassedCard.all(of: clone)
        places += passed.indices.map(ports.passedCard)
        #expect(Set(places) == Set(1...ports.count) && places.count == ports.count)
        let buses = passed.compactMap { $0.device["bus"]?.string }
        #expect(buses == passed.indices.map { "pci.\(ports.passedCard($0))" })
    }

    @Test("what is plugged in is what a machine that boots would have, in its place")
    func devices() throws {
        let (_, clone) = try pair(.open, 0)
        let volume = try #require(clone.volumes.first)
        let xml = try DeviceDocument.disk(.volume(volume, position: 0), of: clone, port: 18)
        let disk = try XMLElement.parsed(xml)
        #expect(disk.child("address")?["bus"] == "0x12" && disk.child("serial")?.text == volume.id.description)
        let card = try XMLElement.parsed(DeviceDocument.card(of: clone, port: 2))
        #expect(card.child("mac")?["address"] == clone.mac.description)
        #expect(card.child("alias")?["name"] == DomainDocument.networkAlias && card.child("address")?["bus"] == "0x2")
    }
}

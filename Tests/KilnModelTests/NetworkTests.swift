import Foundation
import KilnModel
import Testing

@Suite("Addresses and tables of networks")
struct NetworkTests {
    @Test("an address is read as it is written, and nothing else is one")
    func addresses() throws {
        let address = try #require(NetworkAddress("10.64.7.10"))
        #expect(address == NetworkAddress(64, 7, host: 10) && address.description == "10.64.7.10")
        #expect(MACAddress(of: address).description == "52:54:0a:40:07:0a")
        #expect(MACAddress(of: address).bytes == [0x52, 0x54, 10, 64, 7, 10])
        for text in ["", "10.1.2", "10.1.2.3.4", "11.1.2.3", "10.1.2.256", "10.01.2.3", "10.1.2.3 ", "10.1.-2.3"] {
            #expect(NetworkAddress(text) == nil, "\(text)")
            let json = Data("[\"\(text)\"]".utf8)
            #expect(throws: DecodingError.self) { try JSONDecoder().decode([NetworkAddress].self, from: json) }
        }
    }

    @Test("a table survives JSON, and each change can be made twice")
    func table() throws {
        let (web, db, log) = (try Name("web"), try Name("db"), try Name("log"))
        let machine = MemberID(lab: try Name("lab"), server: web).machine(Generation(1))
        let address = NetworkAddress(64, 7, host: 10)
        let port = SwitchPort(
            machine: machine,
            mac: MACAddress(of: address),
            address: address,
            socket: "/a",
            card: "/b",
            isUp: true
        )
        var table = SwitchTable()
        let changes: [SwitchTable.Change] = [
            .plug(port), .fault(web, LinkFault(delay: 99_999, loss: -1)), .split([[web], [db]]),
        ]
        for change in changes + changes { table.apply(change) }
        #expect(table.ports == [port] && table.faults[web] == LinkFault(delay: 60_000))
        #expect(table.separates(web, db) && !table.separates(web, log))
        let text = try JSONEncoder().encode(table)
        #expect(try JSONDecoder().decode(SwitchTable.self, from: text) == table)
        for _ in 0..<2 { table.apply(.unplug(machine)) }
        #expect(table.ports.isEmpty)
    }

    @Test("a lab, a server and a port that a version without networks wrote are read")
    func before() throws {
        let lab = #"{"name":"lab","volumes":{},"servers":{"web":{"image":"tiny:1","ports":{"http":{"guest":80}}}}}"#
        let read = try JSONDecoder().decode(LabSpec.self, from: Data(lab.utf8))
        let web = try #require(read.servers[try Name("web")])
        #expect(read.networks.isEmpty && web.networks.isEmpty)
        #expect(web.ports[try Name("http")] == PortSpec(guest: 80))
    }
}

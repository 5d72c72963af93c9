import Foundation
import KilnModel
import Testing

@testable import KilnHost

@Suite("What a switch does with a frame")
struct SwitchFabricTests {
    private let fabric = SwitchFabric(chance: { 500 })
    private let now = ContinuousClock.now

    private func told(_ server: String, _ host: UInt8, generation: Int = 1, isUp: Bool = true) throws -> SwitchPort {
        let id = MemberID(lab: try Name("lab"), server: try Name(server))
        let address = NetworkAddress(64, 7, host: host)
        return SwitchPort(
            machine: id.machine(Generation(generation)),
            mac: MACAddress(of: address),
            address: address,
            socket: "/run/\(server)-\(generation).port",
            card: "/run/\(server)-\(generation).card",
            isUp: isUp
        )
    }

    private func plug(_ ports: SwitchPort...) {
        change(ports.map { .plug($0) })
    }

    private func change(_ changes: [SwitchTable.Change]) {
        var table = fabric.table
        changes.forEach { table.apply($0) }
        fabric.adopt(table, at: now)
    }

    private func frame(_ target: [UInt8], _ source: [UInt8], _ rest: [UInt8] = [0x86, 0xdd, 1, 2, 3]) -> [UInt8] {
        target + source + rest
    }

    private func send(_ frame: [UInt8], _ port: SwitchFabric.Port) -> [SwitchFabric.Delivery] {
        frame.withUnsafeBytes { fabric.deliveries(of: $0, from: port, at: now) }
    }

    private func dropped(_ port: SwitchFabric.Port, _ why: SwitchStatus.Drop) -> UInt64 {
        port.status.dropped[why.rawValue] ?? 0
    }

    private let everybody = [UInt8](repeating: 0xff, count: 6)

    @Test("one address reaches one port, a broadcast all others, an unknown address nobody")
    func forwarding() throws {
        let (web, db, log) = (try told("web", 10), try told("db", 11), try told("log", 12))
        plug(web, db, log)
        let port = fabric.ports[0]
        #expect(send(frame(db.mac.bytes, web.mac.bytes), port).map(\.port.told) == [db])
        #expect(send(frame(everybody, web.mac.bytes), port).map(\.port.told) == [db, log])
        #expect(send(frame([2, 0, 0, 0, 0, 9], web.mac.bytes), port).isEmpty && dropped(port, .unknown) == 1)
        #expect(send(frame(web.mac.bytes, web.mac.bytes), port).isEmpty)
    }

    @Test("a frame from another hardware address than the card's is dropped and counted")
    func forgedSource() throws {
        let (web, db) = (try told("web", 10), try told("db", 11))
        plug(web, db)
        #expect(send(frame(everybody, db.mac.bytes), fabric.ports[0]).isEmpty)
        #expect(send(frame(db.mac.bytes, [2, 1, 1, 1, 1, 1]), fabric.ports[0]).isEmpty)
        #expect(dropped(fabric.ports[0], .forged) == 2)
    }

    @Test("a frame that claims another server's address, by ARP or IPv4, is dropped; its own and a free one pass")
    func forgedAddress() throws {
        let (web, db) = (try told("web", 10), try told("db", 11))
        plug(web, db)
        func arp(_ sender: NetworkAddress) -> [UInt8] {
            frame(
                everybody,
                web.mac.bytes,
                [8, 6, 0, 1, 8, 0, 6, 4, 0, 2] + web.mac.bytes + sender.bytes + db.mac.bytes + db.address.bytes
            )
        }
        func packet(_ sender: NetworkAddress) -> [UInt8] {
            frame(
                db.mac.bytes,
                web.mac.bytes,
                [8, 0, 0x45] + [UInt8](repeating: 0, count: 11) + sender.bytes + db.address.bytes
            )
        }
        for make in [arp, packet] {
            #expect(send(make(db.address), fabric.ports[0]).isEmpty)
            #expect(send(make(web.address), fabric.ports[0]).count == 1)
            #expect(send(make(web.address.with(host: 77)), fabric.ports[0]).count == 1)
        }
        #expect(dropped(fabric.ports[0], .forged) == 2)
        // A guest's kernel may take the tag off, and believe what is behind it.
        for tag: [UInt8] in [[0x81, 0], [0x88, 0xa8], [0x91, 0]] {
            let claim = arp(db.address)
            #expect(send(claim[..<12] + tag + [0, 0] + claim[12...], fabric.ports[0]).isEmpty)
        }
        #expect(dropped(fabric.ports[0], .malformed) == 3)
    }

    @Test(
        "what is no frame is dropped: nothing, a few bytes, too many, a sender that is a group",
        arguments: [0, 1, 13, 1515, 9000]
    )
    func garbage(_ count: Int) throws {
        let (web, db) = (try told("web", 10), try told("db", 11))
        plug(web, db)
        #expect(send((0..<count).map { UInt8(truncatingIfNeeded: $0) }, fabric.ports[0]).isEmpty)
        #expect(send(frame(db.mac.bytes, everybody), fabric.ports[0]).isEmpty)
        #expect(dropped(fabric.ports[0], .malformed) == 2)
    }

    @Test("short ARP and IPv4 frames are not read beyond their end", arguments: 14..<44)
    func cut(_ count: Int) throws {
        plug(try told("web", 10), try told("db", 11))
        let mac = fabric.ports[0].told.mac.bytes
        for kind: [UInt8] in [[8, 6], [8, 0]] {
            let whole = frame(everybody, mac, kind + [UInt8](repeating: 0xff, count: 40))
            #expect(send(Array(whole.prefix(count)), fabric.ports[0]).count == 1)
        }
    }

    @Test("a flood ends at its port's limit, and the others' frames pass; a flood for all ends sooner")
    func flood() throws {
        let (web, db) = (try told("web", 10), try told("db", 11))
        plug(web, db)
        let one = frame(db.mac.bytes, web.mac.bytes)
        let passed = (0..<6000).count { _ in !send(one, fabric.ports[0]).isEmpty }
        #expect(passed == 4000 && dropped(fabric.ports[0], .flooded) == 2000)
        #expect(send(frame(web.mac.bytes, db.mac.bytes), fabric.ports[1]).count == 1)
        let all = (0..<600).count { _ in !send(frame(everybody, db.mac.bytes), fabric.ports[1]).isEmpty }
        #expect(all == 500)
    }

    @Test("an address is one machine's: the successor that comes up takes it")
    func takeover() throws {
        let (old, new, db) = (try told("web", 10), try told("web", 10, generation: 2, isUp: false), try told("db", 11))
        plug(old, new, db)
        let ask = frame(old.mac.bytes, db.mac.bytes)
        #expect(send(ask, fabric.ports[2]).map(\.port.told.machine) == [old.machine])
        #expect(
            send(frame(db.mac.bytes, old.mac.bytes), fabric.ports[1]).isEmpty && dropped(fabric.ports[1], .down) == 1
        )
        var up = new
        up.isUp = true
        plug(up)
        #expect(send(ask, fabric.ports[2]).map(\.port.told.machine) == [new.machine])
        #expect(send(frame(db.mac.bytes, old.mac.bytes), fabric.ports[0]).isEmpty)
    }

    @Test(
        "which frames are lost is the same for the same seed, from the beginning of the fault, and goes on as it began"
    )
    func seeds() throws {
        let (web, db) = (try told("web", 10), try told("db", 11))
        plug(web, db)
        let port = fabric.ports[0]
        func losses(_ count: Int) -> [Bool] {
            (0..<count).map { _ in send(frame(db.mac.bytes, web.mac.bytes), port).isEmpty }
        }
        func begin(_ seed: UInt32) {
            change([.fault(db.server, nil)])
            change([.fault(db.server, LinkFault(loss: 300, seed: seed))])
        }
        begin(7)
        let first = losses(60)
        #expect(first.contains(true) && first.contains(false))
        begin(8)
        #expect(losses(60) != first)
        begin(7)
        let start = losses(30)
        // The same table once more, as after any other change.
        change([.split([])])
        #expect(start + losses(30) == first)
    }

    @Test("a link that is cut, slow or lossy, and a network that is split, do what they say, and are whole again")
    func faults() throws {
        let (web, db, log) = (try told("web", 10), try told("db", 11), try told("log", 12))
        plug(web, db, log)
        let one = frame(db.mac.bytes, web.mac.bytes)
        change([.fault(db.server, LinkFault(isCut: true))])
        #expect(send(one, fabric.ports[0]).isEmpty && dropped(fabric.ports[1], .cut) == 1)
        change([.fault(db.server, LinkFault(delay: 40)), .fault(web.server, LinkFault(delay: 2))])
        #expect(send(one, fabric.ports[0]).map(\.delay) == [.milliseconds(42)])
        change([.fault(db.server, LinkFault(loss: 501)), .fault(web.server, nil)])
        #expect(send(one, fabric.ports[0]).isEmpty && dropped(fabric.ports[1], .lost) == 1)
        change([.fault(db.server, LinkFault(loss: 500))])
        #expect(send(one, fabric.ports[0]).count == 1)
        change([.split([[web.server], [db.server]])])
        #expect(send(frame(everybody, web.mac.bytes), fabric.ports[0]).map(\.port.told) == [log])
        change([.split([])])
        #expect(send(frame(everybody, web.mac.bytes), fabric.ports[0]).count == 2)
    }
}

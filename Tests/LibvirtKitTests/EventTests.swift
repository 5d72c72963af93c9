import KilnSystem
import Testing

@testable import LibvirtKit

@Suite("event streams", .timeLimit(.minutes(3)))
struct EventTests {
    @Test("lifecycle events arrive in order with their reasons")
    func order() async throws {
        try await TestNode.connected { connection in
            let events = try await connection.events()
            let defined = try await connection.defineDomain(xml: TestNode.domain("web"))
            try await connection.startDomain(named: "web")
            try await connection.suspendDomain(named: "web")
            try await connection.resumeDomain(named: "web")
            try await connection.destroyDomain(named: "web")
            try await connection.undefineDomain(named: "web")
            var kinds: [DomainEvent.Kind] = []
            for await event in events {
                #expect(event.domain == "web" && event.uuid == defined.uuid)
                kinds.append(event.kind)
                if event.kind == .undefined { break }
            }
            #expect(
                kinds == [
                    .defined, .started(.booted), .suspended(.requested), .resumed, .stopped(.destroyed), .undefined,
                ]
            )
        }
    }

    @Test("dropping a stream deregisters it, and the close finds no leak")
    func dropped() async throws {
        try await TestNode.connected { connection in
            for _ in 0..<5 {
                _ = try await connection.events()
            }
            // The drop hops to the connection's queue; it has no event of its own.
            try await withDeadline(.seconds(10), operation: "deregister dropped streams") {
                while await connection.registration != nil { await Task.yield() }
            }
        }
    }

    @Test("every stream of a connection gets every event, and ending one leaves the other")
    func twoReaders() async throws {
        try await TestNode.connected { connection in
            let first = try await connection.events()
            let second = try await connection.events()
            try await connection.suspendDomain(named: "seeded")
            for await event in first {
                #expect(event.kind == .suspended(.requested))
                break
            }
            try await connection.resumeDomain(named: "seeded")
            var kinds: [DomainEvent.Kind] = []
            for await event in second {
                kinds.append(event.kind)
                if kinds.count == 2 { break }
            }
            #expect(kinds == [.suspended(.requested), .resumed])
        }
    }

    @Test("closing ends the streams")
    func closing() async throws {
        let node = try TestNode()
        let connection = try await LibvirtConnection.open(node.uri)
        let events = try await connection.events()
        try await connection.close()
        for await _ in events {}
    }

    @Test("a stream keeps its connection alive after every other reference is gone")
    func keepsAlive() async throws {
        let node = try TestNode()
        weak var observed: LibvirtConnection?
        var events: AsyncStream<DomainEvent>?
        do {
            let connection = try await LibvirtConnection.open(node.uri)
            observed = connection
            events = try await connection.events()
        }
        #expect(observed != nil)
        if let connection = observed { try await connection.close() }
        if let events { for await _ in events {} }
    }

    @Test("closing amid a storm of events finds no leak")
    func storm() async throws {
        for _ in 0..<20 {
            try await TestNode.connected { connection in
                let events = try await connection.events(bufferingNewest: 4)
                for number in 0..<10 {
                    try await connection.defineDomain(xml: TestNode.domain("web-\(number)"))
                }
                _ = events
            }
        }
    }

    @Test("a slow reader loses the oldest events, not the newest")
    func bounded() async throws {
        try await TestNode.connected { connection in
            let events = try await connection.events(bufferingNewest: 2)
            for number in 0..<10 {
                try await connection.defineDomain(xml: TestNode.domain("web-\(number)"))
            }
            await LibvirtEventLoop.fence()
            try await connection.close()
            var names: [String] = []
            for await event in events { names.append(event.domain) }
            #expect(names == ["web-8", "web-9"])
        }
    }

    @Test("a lifecycle event of unknown number is kept as such")
    func unknown() {
        #expect(DomainEvent.Kind(event: 99, detail: 7) == .other(event: 99, detail: 7))
        #expect(DomainEvent.Kind(event: 5, detail: 99) == .stopped(.other(99)))
    }
}

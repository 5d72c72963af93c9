import Testing

@testable import LibvirtKit

@Suite("domain lifecycle on libvirt's test driver")
struct LifecycleTests {
    @Test("a domain goes through its whole life")
    func wholeLife() async throws {
        try await TestNode.connected { connection in
            let defined = try await connection.defineDomain(xml: TestNode.domain("web"))
            #expect(defined.name == "web")
            #expect(defined.state == .shutoff)
            #expect(defined.id == nil)
            #expect(defined.isPersistent && !defined.isActive)

            try await connection.startDomain(named: "web")
            let started = try #require(try await connection.domain(named: "web"))
            #expect(started.state == .running && started.stateReason == .booted)
            #expect(started.isActive && started.id != nil)
            #expect(started.uuid == defined.uuid)

            try await connection.suspendDomain(named: "web")
            #expect(try await connection.domainState(named: "web") == .paused)
            try await connection.resumeDomain(named: "web")
            #expect(try await connection.domain(named: "web")?.stateReason == .unpaused)

            try await connection.destroyDomain(named: "web")
            let destroyed = try #require(try await connection.domain(named: "web"))
            #expect(destroyed.state == .shutoff && destroyed.stateReason == .stoppedByDestroy)
            #expect(destroyed.id == nil)

            try await connection.undefineDomain(named: "web")
            #expect(try await connection.domain(named: "web") == nil)
        }
    }

    @Test("a paused start asks libvirt for it: the test driver, which cannot, refuses the flag")
    func startsPaused() async throws {
        try await TestNode.connected { connection in
            try await connection.defineDomain(xml: TestNode.domain("web"))
            let error = await #expect(throws: LibvirtError.self) {
                try await connection.startDomain(named: "web", paused: true)
            }
            #expect(error?.code == .invalidArgument)
            #expect(try await connection.domainState(named: "web") == .shutoff)
        }
    }

    @Test("a shutdown request ends the machine", arguments: [LibvirtConnection.ShutdownMode.hypervisorChoice])
    func shutsDown(mode: LibvirtConnection.ShutdownMode) async throws {
        try await TestNode.connected { connection in
            try await connection.shutdownDomain(named: "seeded", mode: mode)
            #expect(try await connection.domain(named: "seeded")?.stateReason == .stoppedByShutdown)
        }
    }

    @Test("a listing holds active and inactive domains, also once settled")
    func lists() async throws {
        try await TestNode.connected { connection in
            try await connection.defineDomain(xml: TestNode.domain("web"))
            let names = Set(try await connection.domains().map(\.name))
            #expect(names == ["seeded", "web"])
            try await connection.settle(within: .seconds(5))
            #expect(try await connection.domainStates() == ["seeded": .running, "web": .shutoff])
        }
    }

    @Test("a domain's XML can be read back")
    func readsXML() async throws {
        try await TestNode.connected { connection in
            let xml = try await connection.domainXML(named: "seeded", view: .inactive)
            #expect(xml.contains("<name>seeded</name>"))
        }
    }

    @Test("two connections are independent and can be used at once")
    func concurrency() async throws {
        try await TestNode.connected { first in
            try await TestNode.connected { second in
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for number in 0..<20 {
                        group.addTask { try await first.defineDomain(xml: TestNode.domain("first-\(number)")) }
                        group.addTask { try await second.defineDomain(xml: TestNode.domain("second-\(number)")) }
                    }
                    try await group.waitForAll()
                }
                #expect(try await first.domains().count == 21)
                #expect(try await second.domain(named: "first-0") == nil)
            }
        }
    }

    @Test("host facts are readable")
    func hostFacts() async throws {
        #expect(LibvirtConnection.libraryVersion >= LibvirtVersion(number: 9_000_000))
        #expect(LibvirtVersion(number: 9_001_002).description == "9.1.2")
        try await TestNode.connected { connection in
            #expect(await connection.isAlive())
            let capabilities = try await connection.capabilities()
            #expect(capabilities.contains("<capabilities>"))
            let version = try await connection.hypervisorVersion()
            #expect(version.number > 0)
        }
    }
}

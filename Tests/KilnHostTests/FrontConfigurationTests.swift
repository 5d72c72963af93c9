import Foundation
import KilnEngine
import KilnModel
import KilnSystem
import Testing

@testable import KilnHost

@Suite("What a front is told, and what it tells")
struct FrontConfigurationTests {
    private func configuration(
        isHTTP: Bool = true,
        in folder: String = "/run/kiln/sockets",
        _ change: (inout FrontPlan) -> Void = { _ in }
    ) throws -> FrontConfiguration {
        let http = try Name("http")
        var plan = FrontPlan(
            spec: FrontSpec(hold: .seconds(7), connections: 2),
            ports: [FrontPlan.Port(name: http, host: 20_080, isHTTP: isHTTP)],
            slots: [FrontPlan.Slot(ordinal: 0, generation: Generation(1), ports: [http: 20_081], standing: .serving)]
        )
        change(&plan)
        return FrontConfiguration(plan: plan, place: FrontPlace(base: folder + "/1"))
    }

    @Test("a slot that serves is in the file with its port; one that is out, or has none, is disabled")
    func slots() throws {
        #expect(try configuration().text.contains("server m0 127.0.0.1:20081 maxconn 2\n"))
        let out = try configuration { $0.slots[0].standing = .out }
        #expect(out.text.contains("server m0 127.0.0.1:20081 maxconn 2 disabled\n"))
        let empty = try configuration { $0.slots = [FrontPlan.Slot(ordinal: 0, standing: .serving)] }
        #expect(empty.text.contains("server m0 127.0.0.1:1 maxconn 2 disabled\n"))
    }

    @Test("without a number a machine gets one request at a time, and sessions as many as there may be")
    func connections() throws {
        let http = try configuration { $0.spec.connections = nil }
        #expect(http.text.contains("maxconn 1\n"))
        let other = try configuration(isHTTP: false) { $0.spec.connections = nil }
        #expect(other.text.contains("maxconn 1000\n") && other.ground != http.ground)
        #expect(try configuration(isHTTP: false).text.contains("maxconn 2\n"))
    }

    @Test("HTTP is held request by request, anything else connection by connection")
    func modes() throws {
        #expect(try configuration().text.contains("http-request lua.hold http 7000\n"))
        let other = try configuration(isHTTP: false)
        #expect(other.text.contains("tcp-request content lua.hold http 7000\n"))
        #expect(!other.text.contains("mode http"))
    }

    @Test("who serves where can change at run time; a port, a member, a hold or how many connections can't")
    func ground() throws {
        let ground = try configuration().ground
        let http = try Name("http")
        let moved = try configuration { ($0.slots[0].ports, $0.slots[0].standing) = ([http: 1234], .out) }
        #expect(moved.ground == ground && moved.text.contains("description \(ground)\n"))
        let others = try [
            configuration { $0.slots.append(FrontPlan.Slot(ordinal: 1)) }, configuration { $0.spec.connections = 3 },
            configuration { $0.spec.hold = .seconds(8) }, configuration { $0.spec.drainTimeout = .seconds(8) },
            configuration { $0.ports = [] },
        ]
        #expect(Set(others.map(\.ground) + [ground]).count == 6)
    }

    @Test(
        "HAProxy takes the file, whatever the folder is called",
        arguments: ["plain", "with blanks", "o'clock", "a#b\"c\\d"]
    )
    func accepted(_ name: String) async throws {
        let program = try #require(ProgramPath.find(HAProxy.name))
        let directory = try TestDirectory()
        let folder = "\(directory.path)/\(name)"
        try DurableFile.makeDirectory(folder)
        let configuration = try configuration(in: folder)
        try DurableFile.write(Data(FrontScript.text.utf8), to: configuration.place.script)
        try DurableFile.write(Data(configuration.text.utf8), to: configuration.place.configuration)
        let result = try await Command(program, ["-c", "-f", configuration.place.configuration]).result()
        #expect(result.status == 0, "\(result.text)")
    }

    @Test("a table is read by the names of its columns, whatever is between and behind them")
    func table() {
        let text = "1\n# be_name new srv_name srv_port\nweb.http 9 m0 20081\n\n"
        #expect(
            FrontTable(text, separator: " ").rows == [
                ["be_name": "web.http", "new": "9", "srv_name": "m0", "srv_port": "20081"]
            ]
        )
        let commas = "# pxname,svname,scur,,last\nweb.http,m0,3,,x,y\n"
        #expect(FrontTable(commas, separator: ",").rows.first?["scur"] == "3")
        #expect(FrontTable("", separator: ",").rows.isEmpty)
    }
}

import Foundation
import KilnTestSupport
import Testing

@testable import KilnBakery

@Suite("The host's settings of apt in a room")
struct AptAcquisitionTests {
    @Test("certificates come along, the program for proxies is asked here for each host, and what can't come is named")
    func room() async throws {
        let folder = try TemporaryDirectory()
        let certificate = try folder.file("ca.pem", Array("CERTIFICATE".utf8))
        let program = try folder.file(
            "proxy",
            Array("#!/bin/sh\ncase $1 in *//a.example/*) echo http://p.example:3128 ;; *) echo DIRECT ;; esac\n".utf8)
        )
        #expect(chmod(program, 0o755) == 0)
        _ = try folder.file("room/.keep", [])
        let found = try await AptAcquisition(
            [
                "Acquire::Retries \"3\";", "Acquire::https::CaInfo \"\(certificate)\";",
                "Acquire::https::SslCert \"\(folder.path)/none\";", "Acquire::https::CAPath \"/etc/ssl/certs\";",
                "Acquire::http::Proxy-Auto-Detect \"\(program)\";",
                "Acquire::https::ProxyAutoDetect \"\(folder.path)/gone\";",
            ],
            sources: [
                "deb http://a.example/debian trixie main", "deb http://a.example/debian trixie-updates main",
                "deb [trusted=yes] http://b.example/debian trixie main", "deb https://c.example/debian trixie main",
                "deb copy:/srv/debian ./",
            ],
            folder: folder.path + "/room",
            place: "/place"
        )
        #expect(
            found.lines == [
                "Acquire::Retries \"3\";", "Acquire::https::CaInfo \"/place/host-1\";",
                "Acquire::http::Proxy::a.example \"http://p.example:3128\";",
                "Acquire::http::Proxy::b.example \"DIRECT\";",
            ]
        )
        #expect(FileManager.default.contents(atPath: folder.path + "/room/host-1") == Data("CERTIFICATE".utf8))
        #expect(found.notes.count == 3 && found.notes.allSatisfy { $0.contains("left out") }, "\(found.notes)")
    }

    @Test("a host that has a proxy of its own keeps it, and a program that can't be asked is named once")
    func ownProxy() async throws {
        let folder = try TemporaryDirectory()
        let program = try folder.file("proxy", Array("#!/bin/sh\necho http://found.example:1\n".utf8))
        #expect(chmod(program, 0o755) == 0)
        let settings = [
            "Acquire::http::Proxy-Auto-Detect \"\(program)\";", "acquire::http::proxy::A.example \"DIRECT\";",
            "Acquire::https::Proxy-Auto-Detect \"\(folder.path)/gone\";",
        ]
        let hosts = ["http://a.example", "http://b.example", "https://a.example", "https://b.example"]
        let found = try await AptAcquisition(
            settings,
            sources: hosts.map { "deb \($0)/debian trixie main" },
            folder: folder.path,
            place: "/place"
        )
        #expect(
            found.lines == [
                "Acquire::http::Proxy::b.example \"http://found.example:1\";",
                "acquire::http::proxy::A.example \"DIRECT\";",
            ]
        )
        #expect(found.notes.count == 1, "\(found.notes)")
    }
}

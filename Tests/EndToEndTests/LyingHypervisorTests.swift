import Foundation
import KilnModel
import Testing

extension EndToEnd {
    /// Every call does its work, and then reports a failure with a number that no libvirt has: see `Tests/LyingLibvirt`.
    @Suite("A hypervisor that reports failures of what it has done", .lane, .serialized, .timeLimit(.minutes(10)))
    struct LyingHypervisor {
        private static let acts = [
            "virDomainDefineXMLFlags", "virDomainCreateWithFlags", "virDomainResume", "virDomainQemuMonitorCommand",
            "virDomainDetachDeviceAlias", "virDomainAttachDeviceFlags", "virDomainSnapshotCreateXML",
            "virDomainShutdownFlags", "virDomainDestroyFlags", "virDomainUndefineFlags", "guest-shutdown",
            "guest-fsfreeze-freeze", "guest-fsfreeze-thaw",
        ]
        private static let looks = ["virDomainGetXMLDesc", "virDomainGetState", "virDomainLookupByName", "info"]

        @Test("is judged by what is true: a whole life of a server goes well") func acting() async throws {
            try await life(Self.acts)
        }

        @Test("is asked again where a look at it is said to have failed") func looking() async throws {
            try await life(Self.looks)
        }

        private func life(_ lies: [String]) async throws {
            let shared = try #require(Home.shared)
            let library = URL(fileURLWithPath: try #require(Home.kiln)).deletingLastPathComponent()
                .appendingPathComponent("libLyingLibvirt.so").path
            let told = FileManager.default.temporaryDirectory.appendingPathComponent("kiln-lies-\(UUID().uuidString)")
            defer { try? FileManager.default.removeItem(at: told) }
            var home = shared
            home.prefix = [
                "/usr/bin/env", "LD_PRELOAD=\(library)", "KILN_TEST_LIES=\(lies.joined(separator: " "))",
                "KILN_TEST_LIES_TOLD=\(told.path)",
            ]
            try await home.withLab("lies") { lab in
                func kiln(_ arguments: String...) async throws {
                    let result = try await home.run(arguments)
                    try #require(result.status == 0, "\(arguments): \(result.status) \(result.errors)")
                }
                try await lab.upOrFail()
                try await lab.shell("echo kept >/data/record; sync")
                try await kiln("volume", "snapshot", "\(lab.name)/data", "live")
                try await kiln("drift", lab.web)
                try await kiln("replace", lab.web, "--image", "tiny:2")
                try await lab.expectOnly(generation: 2)
                try await kiln("replace", lab.web, "--image", "tiny:1", "--strategy", "warm-first")
                try await lab.expectOnly(generation: 3)
                try await kiln("stop", lab.web)
                #expect(lab.machines.isEmpty)
                try await kiln("start", lab.web)
                #expect(try await lab.shell("cat /data/record") == "kept")
                try await kiln("stop", "--force", lab.web)
                #expect(lab.machines.isEmpty)
            }
            let lines = Set(try String(contentsOf: told, encoding: .utf8).split(separator: "\n").map(String.init))
            #expect(lines == Set(lies), "each of them lied")
        }
    }
}

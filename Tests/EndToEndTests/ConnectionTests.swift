import Foundation
import Testing

extension EndToEnd {
    @Suite("Other ways to the hypervisor", .lane, .serialized, .timeLimit(.minutes(12)))
    struct Connections {
        static let demonstration = "\(Home.checkout)/Scenarios/replace-keeps-data.yaml"

        @Test(
            "the demonstration passes inside the process of root's kiln, without any daemon",
            .enabled(if: geteuid() == 0 && getpwnam("libvirt-qemu") != nil, "needs root and the user libvirt-qemu")
        )
        func embedded() async throws {
            var home = try await Home.withImages(Home.freshPath())
            home.options = ["--connect", "qemu:///embed?root=\(home.path)/embed"]
            let result = try await home.run("run", Self.demonstration, "--format", "json")
            #expect(result.status == 0, "\(result.errors)")
            try expectDemonstration(result)
            try await expectNothingLeft(home)
            #expect(home.daemons.isEmpty)
            try await home.remove()
        }

        @Test(
            "the demonstration passes for a plain user, in a home whose path is too long for a socket",
            .enabled(if: PlainUser.name != nil, "needs root and a plain user who can run kiln")
        )
        func plainUser() async throws {
            let home = try await PlainUser.home(length: 120)
            let result = try await home.run("run", Self.demonstration, "--format", "json")
            #expect(result.status == 0, "\(result.errors)")
            try expectDemonstration(result)
            try await expectNothingLeft(home)
            try await home.remove()
        }

        @Test(
            "a plain user's machines run on the session daemon as well, as that user",
            .enabled(if: PlainUser.name != nil, "needs root and a plain user who can run kiln")
        )
        func session() async throws {
            var home = try await PlainUser.home(length: 0)
            home.options = ["--connect", "qemu:///session"]
            try await home.withLab("session") { lab in
                try await lab.upOrFail()
                try await lab.expectOnly(generation: 1)
                #expect(try await lab.shell("id -u") == "0")
                #expect(lab.machines.compactMap { Processes.user(of: $0) } == [PlainUser.id])
            }
            try await home.remove()
        }
    }
}

/// Somebody without privileges, whom root can become.
enum PlainUser {
    /// The first user with a password entry of a person, who can run kiln where it lies.
    static let name: String? = {
        guard geteuid() == 0, let kiln = Home.kiln else { return nil }
        let table = (try? String(contentsOfFile: "/etc/passwd", encoding: .utf8)) ?? ""
        let people = table.split(separator: "\n").map { $0.split(separator: ":", omittingEmptySubsequences: false) }
            .filter { $0.count > 2 && (1000..<60_000).contains(Int($0[2]) ?? 0) }
        return people.map { String($0[0]) }.first { name in
            let test = Process()
            test.executableURL = URL(fileURLWithPath: "/usr/sbin/runuser")
            test.arguments = ["-u", name, "--", "/usr/bin/test", "-x", kiln]
            guard (try? test.run()) != nil else { return false }
            test.waitUntilExit()
            return test.terminationStatus == 0
        }
    }()

    static var id: uid_t? { name.flatMap { getpwnam($0)?.pointee.pw_uid } }

    /// A home of the user's, with images, whose path has at least `length` bytes.
    static func home(length: Int) async throws -> Home {
        let name = try #require(name)
        var path = Home.freshPath()
        if path.utf8.count < length { path += "-" + String(repeating: "h", count: length - path.utf8.count) }
        var home = try Home(path)
        let owner = try #require(id)
        chown(path, owner, owner)
        home.prefix = ["/usr/sbin/runuser", "-u", name, "--"]
        try await home.tool("/bin/mkdir", "-m", "0700", path + "/run")
        try await home.takeImages(linking: false)
        return home
    }
}

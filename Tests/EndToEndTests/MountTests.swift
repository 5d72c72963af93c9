import Foundation
import KilnModel
import Testing

extension EndToEnd {
    @Suite("Mount points", .lane, .serialized, .timeLimit(.minutes(20)))
    struct Mounts {
        @Test("while its volume is not mounted nothing can be written below a mount point, by either strategy")
        func unwritable() async throws {
            let home = try #require(Home.shared)
            try await home.withLab("unwritable", server: Self.early) { lab in
                try await lab.upOrFail()
                try await expectRefusals(lab, generation: 1)
                for (generation, strategy) in [(2, "stop-first"), (3, "warm-first")] {
                    let image = "tiny:\(4 - generation)"
                    let end = try await home.run("replace", lab.web, "--image", image, "--strategy", strategy)
                    try #require(end.status == 0, "\(end.errors)")
                    let notes = end.text.split(separator: "\n").filter { $0.hasPrefix("note: ") }
                    #expect(notes == ["note: its image \(image) is untested: 'kiln image test \(image)'"])
                    try await expectRefusals(lab, generation: generation)
                }
                let drift = try await home.run("drift", lab.web)
                #expect(drift.status == 0, "\(drift.text)")
            }
        }

        // Its user-data tried it before the mounts; now, as in a shutdown, the volume is taken away.
        private func expectRefusals(_ lab: Lab, generation: Int) async throws {
            let path = "\(lab.directory)/servers/web/generations/\(generation)/console.log"
            let console = try String(decoding: Data(contentsOf: URL(fileURLWithPath: path)), as: UTF8.self)
            #expect(console.contains("early-write=refused"), "\(console)")
            #expect(try await lab.shell("echo x >/data/file; cat /data/file") == "x")
            #expect(try await lab.shell("umount /data; { echo x >/data/late; } 2>&1 || :").contains("not permitted"))
            try await lab.shell("mkdir /data/dir 2>/dev/null && exit 1; /usr/lib/kiln/mount-volumes; cat /data/file")
        }

        @Test("data that a guest hides all the same is named, kept, and copied out of the old root; or it aborts")
        func hidden() async throws {
            let home = try #require(Home.shared)
            try await home.withLab("hidden", server: Self.aborting) { lab in
                try await lab.upOrFail()
                try await lab.shell(Self.hide)
                let aborted = try await lab.replace("tiny:2")
                #expect(aborted.exit == .aborted && aborted.text.contains("/data/lost"), "\(aborted.text)")
                try await lab.expectOnly(generation: 1)
                #expect(try await home.run("drift", lab.web).text.contains("hidden 1\n  /data/lost\n"))

                try await lab.declare(Home.plainServer + "\nkeep-roots: 0")
                let replaced = try await lab.replace("tiny:2")
                #expect(replaced.status == 0 && replaced.text.contains("/data/lost"), "\(replaced.text)")
                #expect(try await home.run("history", lab.web).text.contains("/data/lost"))
                let copy = try await home.run("cp", "\(lab.web)@1:/data/lost", "-")
                #expect(copy.status == 0 && copy.text == "lost\n", "\(copy.errors)")
                #expect(try await home.run("cp", "\(lab.web)@1:/data/other", "-").exit == .usage)
            }
        }

        @Test("volumes that lie on one another, and are called like a seed and a root, are where they belong")
        func nested() async throws {
            let home = try #require(Home.shared)
            let file = home.path + "/nested.yaml"
            try Data(Self.nested.utf8).write(to: URL(fileURLWithPath: file))
            let result = try await home.run("run", file)
            #expect(result.status == 0, "\(result.errors)\n\(result.text)")
            try await expectNothingLeft(home)
        }

        private static let early =
            Home.plainServer + "\n" + #"""
                user-data:
                  bootcmd:
                    - "if mkdir -p /data && echo x >/data/early; then echo early-write=done; else echo early-write=refused; fi >/dev/console"
                """#

        private static let aborting = Home.plainServer + "\nhidden-data: abort"

        // A guest may take away what keeps it from that.
        private static let hide =
            "umount /data && chattr -i /data && echo lost >/data/lost && sync && /usr/lib/kiln/mount-volumes"

        private static let nested = """
            kiln: 1
            name: nested
            lab:
              volumes:
                cidata: { size: 32MiB }
                root: { size: 32MiB }
              servers:
                web:
                  image: tiny:1
                  volumes: { cidata: /data/inner, root: /data }
                  ports: { http: 80 }
                  ready: [agent, cloud-init, { http: { port: http, path: /health } }]
            steps:
              - up: [web]
              - exec: { server: web, command: 'test "$(stat -c %d /data/inner)" != "$(stat -c %d /data)"' }
              - exec: { server: web, command: "echo kept >/data/inner/file && sync" }
              - stop: [web]
              - start: [web]
              - exec: { server: web, command: "cat /data/inner/file", contains: kept }
              - replace: { server: web, image: "tiny:2", strategy: warm-first }
              - exec: { server: web, command: "cat /data/inner/file", contains: kept }
              - replace: { server: web, image: "tiny:1", strategy: stop-first }
              - exec: { server: web, command: "cat /data/inner/file", contains: kept }
              - down
            """
    }
}

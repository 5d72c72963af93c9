import Foundation
import KilnModel
import Testing

extension EndToEnd {
    @Suite("Bad input", .lane, .serialized, .timeLimit(.minutes(10)))
    struct BadInput {
        private static let files: [(name: String, text: String, finding: String)] = [
            (
                "two servers on one volume",
                """
                kiln: 1
                name: two
                lab:
                  volumes: { data: { size: 64MiB } }
                  servers:
                    one: { image: tiny, volumes: { data: /data } }
                    two: { image: tiny, volumes: { data: /data } }
                """, ":7:36: lab.servers.two.volumes.data: "
            ),
            (
                "an unknown field", "kiln: 1\nname: x\nlab:\n  servers:\n    web: { image: tiny, memry: 1MiB }\n",
                ":5:25: lab.servers.web.memry: unknown field (did you mean 'memory'?)"
            ),
            (
                "a key written twice",
                "kiln: 1\nname: x\nlab:\n  servers:\n    web:\n      image: tiny\n      image: tiny\n",
                ":7:7: lab.servers.web.image: "
            ),
            (
                "aliases that multiply", "kiln: 1\nname: x\na: &a [x, x, x]\nb: &b [*a, *a, *a]\nlab: *b\n",
                ":3:4: a: anchors (&) and aliases (*) are not supported"
            ),
            (
                "a name that is a path", "kiln: 1\nname: x\nlab:\n  servers:\n    \"../x\": { image: tiny }\n",
                ":5:5: lab.servers.'../x': expected a name"
            ),
            ("a name in capitals", "kiln: 1\nname: Web\nlab:\n  servers:\n    web: { image: tiny }\n", ":2:7: name: "),
        ]

        @Test("lint names file, line, column and field", arguments: files.indices)
        func lint(_ index: Int) async throws {
            let home = try #require(Home.shared)
            let (_, text, finding) = Self.files[index]
            let path = "\(home.path)/bad-\(index).yaml"
            try Data(text.utf8).write(to: URL(fileURLWithPath: path))
            for verb in [["scenario", "lint", path], ["up", "-f", path]] {
                let result = try await home.run(verb)
                #expect(result.exit == .invalidFile)
                #expect((result.text + result.errors).contains(path + finding), "\(result.text)\(result.errors)")
                #expect(result.duration < .seconds(10))
            }
        }

        @Test("an image that isn't there is named, and nothing is made")
        func missingImage() async throws {
            let home = try #require(Home.shared)
            try await home.withLab("missing", server: "image: \"tiny:none\"\nvolumes: { data: /data }") { lab in
                let result = try await home.run("up", "-f", lab.file, "--format", "json")
                #expect(result.exit == .invalidFile)
                #expect(try result.json(FailureReport.self).error.code == "image.missing")
                #expect(!FileManager.default.fileExists(atPath: lab.directory))
                let volumes = try await home.run("volume", "list", "--format", "json").json(VolumeListReport.self)
                #expect(!volumes.volumes.contains { $0.lab == lab.name })
            }
        }

        @Test("a journal that lost its end changes nothing and hides nothing; 'down' leads out of it, the data kept")
        func shortJournal() async throws {
            let home = try #require(Home.shared)
            try await home.withLab("short") { lab in
                try await lab.upOrFail()
                try await lab.shell("echo kept >/data/record; sync")
                let journal = URL(fileURLWithPath: "\(lab.directory)/servers/web/journal")
                try Data("kiln-journal 1\n".utf8).write(to: journal)
                for arguments in [
                    ["up", "-f", lab.file], ["replace", lab.web], ["stop", lab.web], ["recover", lab.web],
                ] {
                    let result = try await home.run(arguments)
                    #expect(result.exit == .halted && result.errors.contains(journal.path), "\(arguments)")
                }
                let seen = try await home.run("ps")
                #expect(seen.status == 0 && seen.text.contains("unknown: the journal of \(lab.web)"), "\(seen.text)")
                // Nobody can tell whether it boots from it.
                #expect(try await home.run("image", "delete", "tiny:1").exit == .blocked)
                let down = try await home.run("down", lab.name)
                try #require(down.status == 0, "\(down.errors)")
                try await lab.upOrFail()
                #expect(try await lab.shell("cat /data/record") == "kept")
            }
        }

        @Test("an image with a flipped bit boots nothing")
        func flippedBit() async throws {
            let home = try Home(Home.freshPath())
            try await home.takeImages(linking: false)
            try await home.withLab("flipped") { lab in
                let images = try await home.run("image", "list", "--format", "json").json(ImageListReport.self).images
                let digest = try #require(images.first { $0.version == "1" }).digest.dropFirst("sha256:".count)
                let disk = URL(fileURLWithPath: "\(home.path)/images/sha256/\(digest)/disk.qcow2")
                var bytes = try Data(contentsOf: disk)
                bytes[bytes.count / 2] ^= 1
                try bytes.write(to: disk)
                let result = try await home.run("up", "-f", lab.file, "--format", "json")
                #expect(result.exit == .unmet, "\(result.errors)")
                let failure = try result.json(FailureReport.self).error
                #expect(failure.code == "image.digest-mismatch" && failure.message.contains("tiny:1"))
                #expect(lab.machines.isEmpty && !FileManager.default.fileExists(atPath: lab.directory))
                #expect(try await home.run("image", "verify", "tiny:1").exit == .unmet)
                #expect(try await home.run("image", "verify", "tiny:2").status == 0)
            }
            try await home.remove()
        }

        @Test("a port that something listens on is named with its holder, and nothing runs")
        func takenPort() async throws {
            let home = try #require(Home.shared)
            let listener = try Listener()
            let server = "image: tiny:1\nports: { http: { guest: 80, host: \(listener.port) } }\nready: [agent]"
            try await home.withLab("port", server: server) { lab in
                let result = try await home.run("up", "-f", lab.file, "--format", "json")
                #expect(result.exit == .blocked, "\(result.errors)")
                let failure = try result.json(FailureReport.self).error
                #expect(failure.code == "port.taken")
                #expect(failure.message.contains("port \(listener.port)"))
                #expect(failure.message.contains("pid \(getpid())"), "\(failure.message)")
                #expect(lab.machines.isEmpty && lab.artefacts.isEmpty)
            }
            withExtendedLifetime(listener) {}
        }

        @Test("a volume that another process has open is not touched, and the process is named")
        func heldVolume() async throws {
            let home = try #require(Home.shared)
            try await home.withLab("held") { lab in
                try await lab.upOrFail()
                try await lab.shell("echo kept >/data/record; sync /data/record")
                try #require(try await home.run("stop", lab.web).status == 0)
                let directory = "\(home.path)/volumes/\(lab.name)/data"
                let layer = try lab.activeLayer
                // Opens it as QEMU does, with QEMU's locks, and holds it.
                let arguments = ["-f", "qcow2", "-c", "sleep 600000", "\(directory)/\(layer)"]
                let holder = try Command("/usr/bin/qemu-io", arguments, environment: [:])
                try await eventually("the volume is held") { Processes.holds(holder.pid, layer) }
                let blocked = try await home.run("start", lab.web, "--format", "json")
                holder.send(SIGKILL)
                _ = try await holder.finish()
                #expect(blocked.exit == .blocked, "\(blocked.errors)")
                let failure = try blocked.json(FailureReport.self).error
                #expect(
                    failure.code == "volume.held" && failure.message.contains("pid \(holder.pid)"),
                    "\(failure.message)"
                )
                #expect(lab.machines.isEmpty)
                #expect(try await home.run("start", lab.web).status == 0)
                #expect(try await lab.shell("cat /data/record") == "kept")
            }
        }

        @Test(
            "on a full disk a replacement is given up before the old machine is touched",
            .enabled(if: geteuid() == 0)
        )
        func fullDisk() async throws {
            let path = Home.freshPath()
            var home = try Home(path)
            // A file system of its own that nobody else sees, and that ends with this process.
            let script = "mount -t tmpfs -o size=120m,mode=0755 kiln \"$0\" && echo ready && exec sleep 3600"
            let world = try Command(
                "/usr/bin/unshare",
                ["-m", "sh", "-c", script, path],
                environment: ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin"]
            )
            try await eventually("the small file system is there: \(world.errors)") { world.output.contains("ready") }
            home.prefix = ["/usr/bin/nsenter", "-t", "\(world.pid)", "-m", "--"]
            defer { world.send(SIGKILL) }
            try await home.takeImages(linking: false)
            let file = "\(FileManager.default.temporaryDirectory.path)/full-\(UUID().uuidString).yaml"
            let text = """
                kiln: 1
                name: full
                lab:
                  volumes: { data: { size: 64MiB, filesystem: ext4 } }
                  servers:
                    web: { image: "tiny:1", volumes: { data: /data }, ready: [cloud-init] }
                """
            try Data(text.utf8).write(to: URL(fileURLWithPath: file))
            defer { try? FileManager.default.removeItem(atPath: file) }
            let lab = Lab(home: home, name: "full", file: file)
            try await lab.upOrFail()
            try await lab.shell("echo kept >/data/record; sync /data/record")
            _ = try await home.attempt("/bin/sh", "-c", "head -c 1G /dev/zero >\(path)/ballast")
            let refused = try await lab.replace("tiny:2")
            #expect(refused.status != 0 && refused.exit != .halted, "\(refused.errors)")
            #expect((refused.errors + refused.text).lowercased().contains("space"), "\(refused.text)\(refused.errors)")
            try await home.tool("/bin/rm", "\(path)/ballast")
            #expect(try await home.run("recover").status == 0)
            #expect(try await lab.status().generation == 1)
            #expect(try await lab.shell("cat /data/record") == "kept")
            #expect(try await home.run("down", "full").status == 0)
            try await home.remove()
            world.send(SIGKILL)
            _ = try await world.finish()
        }
    }
}

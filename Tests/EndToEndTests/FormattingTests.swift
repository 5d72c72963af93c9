import Foundation
import Glibc
import KilnModel
import Testing

extension EndToEnd {
    @Suite("A volume that a guest formats", .lane, .serialized, .timeLimit(.minutes(20)))
    struct Formatting {
        @Test("is found at a start and in a replacement; one command or none brings the data back")
        func sameUUID() async throws {
            try await serving(keepsUUID: true) { lab in
                try await atStart(lab)
                try await inReplacement(lab, true, "stop-first")
            }
        }

        @Test("is found everywhere, whether its UUID is another or the same", arguments: [true, false])
        func everywhere(keepsUUID: Bool) async throws {
            try await serving(keepsUUID: keepsUUID) { lab in
                try await atStart(lab)
                try await inReplacement(lab, keepsUUID, "stop-first")
                try await inReplacement(lab, keepsUUID, "warm-first")
                try await inLaunch(lab, keepsUUID)
            }
        }

        private func serving(keepsUUID: Bool, _ body: (Lab) async throws -> Void) async throws {
            let home = try #require(Home.shared)
            try await home.withLab("format", server: Self.server(keepsUUID)) { lab in
                try await lab.upOrFail()
                try await FileSystemTools.give(to: lab)
                try await lab.shell("echo kept >/data/record; sync")
                try await body(lab)
            }
        }

        private func atStart(_ lab: Lab) async throws {
            let home = lab.home
            try await lab.shell(Self.formatAtNextBoot)
            try #require(try await home.run("stop", lab.web).status == 0)
            let start = try await home.run("start", lab.web)
            #expect(start.exit == .halted, "\(start.errors)")
            let way = "kiln volume restore \(lab.name)/data before-format"
            #expect(start.errors.contains(way), "\(start.errors)")
            #expect(try await lab.shell("ls /data | wc -l") == "1", "it was not formatted")
            #expect(try await home.run("volume", "list").text.contains("reformatted"))
            let refused = try await lab.replace("tiny:2")
            #expect(refused.exit == .halted && refused.errors.contains(way), "\(refused.errors)")

            try #require(try await home.run("stop", lab.web).status == 0)
            let restore = try await home.run("volume", "restore", "\(lab.name)/data", "before-format")
            try #require(restore.status == 0, "\(restore.errors)")
            let again = try await home.run("start", lab.web)
            try #require(again.status == 0, "\(again.errors)")
            try await expectKept(lab)
        }

        private func inReplacement(_ lab: Lab, _ keepsUUID: Bool, _ strategy: String) async throws {
            try await lab.declare(Self.server(keepsUUID, formatting: strategy))
            let arguments = ["replace", lab.web, "--image", "tiny:2", "--strategy", strategy, "--format", "json"]
            let result = try await lab.home.run(arguments)
            #expect(result.exit == .reverted, "\(strategy): \(result.errors)")
            let turn = try #require(try result.json(ReplacementResultReport.self).turn)
            #expect(turn.code == "volume.reformatted", "\(strategy): \(turn)")
            try await lab.expectOnly(generation: 1)
            try await expectKept(lab)
        }

        private func inLaunch(_ lab: Lab, _ keepsUUID: Bool) async throws {
            try #require(try await lab.home.run("down", lab.name).status == 0)
            let launch = Self.server(keepsUUID, formatting: "stop-first").replacing("tiny:1", with: "tiny:2")
            try lab.write(launch)
            let up = try await lab.up()
            #expect(up.exit == .aborted && up.errors.contains("formatted"), "\(up.errors)")
            #expect(lab.machines.isEmpty)
            try await lab.declare(Self.server(keepsUUID))
            try await expectKept(lab)
        }

        private func expectKept(_ lab: Lab) async throws {
            #expect(try await lab.shell("cat /data/record") == "kept")
            #expect(try await lab.home.run("volume", "list").text.contains("reformatted") == false)
        }

        // What formats is called by no name that a guard could know: it has to be found by what it does.
        private static func server(_ keepsUUID: Bool, formatting strategy: String? = nil) -> String {
            let again = """
                  set -e
                  . /usr/lib/kiln/common
                  if grep -q ' /data ' /proc/mounts; then umount /data; fi
                  disk=$(findfs LABEL=kiln:data)
                  uuid=$(blkid $disk | sed 's/.* UUID="\\([^"]*\\)".*/\\1/')
                  mkdir -p /run/look /run/tools
                  mount $disk /run/look
                  cp /run/look/tools/* /run/tools
                  umount /run/look
                  mv /run/tools/mke2fs /run/tools/again
                  \(FileSystemTools.line("again", in: "/run/tools")) -q -F -L kiln:data \(keepsUUID ? "-U $uuid" : "") $disk
                """
            let format = "sh /usr/local/again && /usr/lib/kiln/mount-volumes"
            return """
                image: tiny:1
                volumes: { data: /data }
                ports: { http: 80 }
                ready: [cloud-init, { http: { port: http, path: /health } }]
                stop-timeout: 60s
                \(strategy == "warm-first" ? "after-attach: [\"\(format)\"]" : "")
                user-data:
                  write_files:
                    - path: /usr/local/again
                      content: |
                \(again.split(separator: "\n").map { "        \($0)" }.joined(separator: "\n"))
                  runcmd: ["\(strategy == "stop-first" ? format : ":")"]
                """
        }

        private static let formatAtNextBoot = """
            cd /usr/lib/kiln
            mv mount-volumes mount-really
            cat >mount-volumes <<'end'
            #!/bin/sh
            mv /usr/lib/kiln/mount-really /usr/lib/kiln/mount-volumes
            sync
            sh /usr/local/again
            exec /usr/lib/kiln/mount-volumes "$@"
            end
            chmod +x mount-volumes
            sync
            """

        @Test("other changes to its file system, and a crash of the machine between them, raise no alarm")
        func otherChanges() async throws {
            let home = try #require(Home.shared)
            try await home.withLab("unformatted") { lab in
                try await lab.upOrFail()
                try await FileSystemTools.give(to: lab)
                try await lab.shell("echo kept >/data/record; sync; cp -r /data/tools /run/tools")
                let tool = { FileSystemTools.line($0, in: "/run/tools") }
                try await lab.shell(
                    """
                    set -e
                    exec 2>&1
                    disk=$(findfs LABEL=kiln:data)
                    umount /data
                    \(tool("e2fsck")) -fy $disk || [ $? = 1 ]
                    \(tool("tune2fs")) -U random $disk
                    \(tool("e2fsck")) -fy $disk || [ $? = 1 ]
                    \(tool("resize2fs")) $disk 40M
                    \(tool("resize2fs")) $disk
                    sync
                    """
                )
                for pid in lab.machines { kill(pid, SIGKILL) }
                try await eventually("the machine's end is known") { try await lab.status().state == "off" }
                let start = try await home.run("start", lab.web)
                try #require(start.status == 0, "\(start.errors)")
                try await expectKept(lab)
                for (image, strategy) in [("tiny:2", "stop-first"), ("tiny:1", "warm-first")] {
                    let result = try await home.run("replace", lab.web, "--image", image, "--strategy", strategy)
                    #expect(result.status == 0, "\(result.errors)")
                    try await expectKept(lab)
                }
            }
        }
    }
}

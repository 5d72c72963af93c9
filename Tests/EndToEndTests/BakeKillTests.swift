import Foundation
import Glibc
import KilnModel
import Testing

extension EndToEnd {
    @Suite(
        "kill -9 while an image is made",
        .lane,
        .serialized,
        .enabled(if: geteuid() == 0, "a plain user needs subordinate ids"),
        .timeLimit(.minutes(12))
    )
    struct BakeKills {
        /// The image's steps: from tiny, files, shell, cleaning.
        private static let steps = (1...4).flatMap { step in ["before", "done", "after"].map { "bake-\(step).\($0)" } }
        private static let seals = ["seal.before", "seal.placed", "seal.named"]

        @Test(
            "after a bake was killed at any of its steps the store is whole, and the next one goes on to the same image"
        )
        func bake() async throws {
            let home = try #require(Home.shared)
            try home.recipes.writeMessage()
            let bake = ["image", "bake", "--no-test", "--folder", home.recipes.path, "motd"]
            var said = ""
            for point in Self.steps + ["bake.made"] + Self.seals + ["bake.sealed"] {
                said = try await kill(home, at: point, bake)
                // What was named before the death is an image; the next point lies beyond that.
                let isNamed = ["seal.named", "bake.sealed"].contains(point)
                #expect(try await (home.digest(of: "motd:1") != nil) == isNamed, "\(point)")
                if point == "seal.named" { try await expectDone(home, "image", "delete", "motd:1") }
            }
            #expect(said.contains("step 4/4 cleaning (reused"), "\(said)")
            let again = try await home.run(bake)
            #expect(again.status == 0 && again.errors.contains("motd:1 is baked already"), "\(again.errors)")
            let survivor = try #require(try await home.digest(of: "motd:1"))
            try await expectDone(home, "image", "delete", "motd:1")
            try await expectDone(home, "image", "bake", "--no-test", "--again", "--folder", home.recipes.path, "motd")
            #expect(
                try await home.digest(of: "motd:1") == survivor,
                "another digest than the bake that was never killed"
            )
        }

        @Test("after a bake was killed at whatever moment, mmdebstrap's included, nothing of it runs or stays")
        func anyMoment() async throws {
            let home = try #require(Home.shared)
            let archive = PackageArchive(path: home.path + "/archive")
            try await archive.add("20260101", version: "1.0")
            try archive.writeRecipe(in: home.recipes, "2026-01-01")
            let bake = ["image", "bake", "--no-test", "--again", "--folder", home.recipes.path, "probe"]
            let whole = try await home.run(bake)
            try #require(whole.status == 0, "\(whole.errors)")
            let digest = try #require(try await home.digest(of: "probe:1"))
            for share in 1...9 {
                let command = try home.start(bake)
                // Wherever it is by then.
                try await Task.sleep(for: whole.duration * share / 10)
                command.send(SIGKILL)
                _ = try await command.finish()
                try await eventually("what the bake started has ended") {
                    Processes.matching(home.path + "/images/work/").isEmpty
                }
                try await expectDone(home, "image", "gc")
                #expect(home.work.isEmpty, "\(share): \(home.work)")
                let mounts = try String(contentsOfFile: "/proc/self/mountinfo", encoding: .utf8)
                #expect(!mounts.contains(home.path + "/images/work"), "\(share)")
                #expect(try await home.digest(of: "probe:1") == digest, "\(share)")
            }
            try await expectDone(home, bake)
            #expect(try await home.digest(of: "probe:1") == digest)
        }

        @Test("after an import was killed the store is whole, and the file can be imported")
        func importing() async throws {
            let home = try #require(Home.shared)
            let file = home.path + "/tiny.tar"
            try await expectDone(home, "image", "export", "tiny:2", file)
            try await expectWhole(home, "tiny:2", ["image", "import", file], ["import.unpacked"])
        }

        @Test("after an addition was killed the store is whole, and the disk can be added")
        func adding() async throws {
            let home = try #require(Home.shared)
            let disk = home.path + "/boot.raw"
            // Boot code for a BIOS, and nothing else.
            var bytes = Data(count: 1 << 20)
            bytes.replaceSubrange(0..<3, with: [0xeb, 0x63, 0x90])
            bytes.replaceSubrange(510..<512, with: [0x55, 0xaa])
            try bytes.write(to: URL(fileURLWithPath: disk))
            let add = ["image", "add", disk, "--as", "boot:1"]
            try await expectDone(home, add)
            try await expectWhole(home, "boot:1", add, ["add.made"])
        }

        /// That an image which is there can be deleted, and taken once more, by a command that is killed at each point.
        private func expectWhole(_ home: Home, _ image: String, _ command: [String], _ points: [String]) async throws {
            let digest = try #require(try await home.digest(of: image))
            try await expectDone(home, "image", "delete", image)
            for point in points + Self.seals {
                _ = try await kill(home, at: point, command)
                #expect(try await home.digest(of: image) == (point == "seal.named" ? digest : nil), "\(point)")
            }
            try await expectDone(home, "image", "delete", image)
            try await expectDone(home, command)
            #expect(try await home.digest(of: image) == digest)
        }

        /// Kills a command at a failpoint; afterwards every image is what it was, and nothing is left once it is swept up.
        ///
        /// - Returns: what the command said.
        private func kill(_ home: Home, at point: String, _ command: [String]) async throws -> String {
            let killed = try await home.run(command, failpoint: "\(point)=kill")
            try #require(killed.status == 137, "\(point): \(killed.status) \(killed.errors)")
            try await expectDone(home, "image", "verify")
            try await expectDone(home, "image", "gc")
            #expect(home.work.isEmpty, "\(point): \(home.work)")
            #expect(Processes.matching("/images/work/", home.path).isEmpty, "\(point)")
            return killed.errors
        }

        private func expectDone(_ home: Home, _ arguments: String...) async throws {
            try await expectDone(home, arguments)
        }

        private func expectDone(_ home: Home, _ arguments: [String]) async throws {
            let end = try await home.run(arguments)
            try #require(end.status == 0, "\(arguments): \(end.errors)")
        }
    }
}

import Foundation
import KilnModel
import Testing

extension EndToEnd {
    @Suite("Volumes of running machines", .lane, .serialized, .timeLimit(.minutes(20)))
    struct Volumes {
        @Test("a live snapshot under writes tears nothing, and a restore returns to it and keeps what it discards")
        func snapshotAndRestore() async throws {
            let home = try #require(Home.shared)
            try await home.withLab("snapshot") { lab in
                try await lab.upOrFail()
                try await lab.shell("setsid sh -c '\(Self.writer)' >/dev/null 2>&1 </dev/null &")
                let before = try await lines(lab, atLeast: 5)
                let taken = try await home.run("volume", "snapshot", lab.data, "live", "--format", "json")
                try #require(taken.status == 0, "\(taken.errors)")
                #expect(try taken.json(SnapshotReport.self).snapshot.consistency == "quiesced")
                let after = try await lines(lab, atLeast: 0)
                let last = try await lines(lab, atLeast: after + 5)
                #expect(try await home.run("volume", "restore", lab.data, "live").exit == .blocked)

                try await expectWhole(lab, atLeast: last)
                try await lab.restart {
                    let restored = try await home.run("volume", "restore", lab.data, "live", "--format", "json")
                    try #require(restored.status == 0, "\(restored.errors)")
                    let discarded = try restored.json(RestoreReport.self).discarded
                    #expect(discarded.hasPrefix("\(lab.name).data."))
                    #expect(try await home.run("volume", "undelete", discarded, "\(lab.name)/lost").status == 0)
                    #expect(try await home.run("volume", "check", "\(lab.name)/lost").status == 0)
                }
                let kept = try await expectWhole(lab, atLeast: before)
                #expect(kept <= after)
            }
        }

        @Test("the ledger's verdict on three live snapshots is that nothing is lost, torn or doubled")
        func ledger() async throws {
            let home = try #require(Home.shared)
            let name = "sealed-\(String(UInt16.random(in: .min ... .max), radix: 36))x"
            let file = "\(home.path)/\(name).yaml"
            let scenario = """
                kiln: 1
                name: \(name)
                lab:
                  volumes:
                    data: { size: 64MiB }
                  servers:
                    web: { image: "tiny:1", volumes: { data: /data }, ready: [agent, cloud-init] }
                steps:
                  - up: [web]
                  - write-ledger: { server: web, path: /data/ledger }
                  - exec: { server: web, command: "until [ -e /run/go-on ]; do sleep 0.2; done" }
                  - verify-ledger: { server: web, records-at-least: 20 }
                """
            try Data(scenario.utf8).write(to: URL(fileURLWithPath: file))
            let run = try home.start(["run", file, "--format", "json"])
            // The run's lab is called after the scenario, with an id of its own.
            try await eventually("the lab is there", within: .seconds(60)) { !home.labs(of: name).isEmpty }
            let lab = Lab(home: home, name: try #require(home.labs(of: name).first), file: file)
            try await eventually("the ledger grows", within: .seconds(60)) {
                let lines = try await home.run("exec", lab.web, "--", "sh", "-c", "wc -l </data/ledger")
                return (Int(lines.text.trimmingCharacters(in: .newlines)) ?? 0) > 5
            }
            for number in 1...3 {
                let taken = try await home.run("volume", "snapshot", lab.data)
                #expect(taken.status == 0, "\(number): \(taken.errors)")
            }
            try await lab.shell("touch /run/go-on")
            let result = try await run.finish()
            #expect(result.status == 0, "\(result.errors)")
            let verdict = try #require(try result.json(RunReport.self).ledger)
            #expect(verdict.lost == 0 && verdict.torn == 0 && verdict.duplicated == 0)
            for kept in try await home.run("volume", "list", "--format", "json").json(VolumeListReport.self).retained {
                _ = try await home.run("volume", "purge", kept, "--yes")
            }
        }

        @Test("a clone of a volume in use serves a second machine beside the first, and outlives its original")
        func clone() async throws {
            let home = try #require(Home.shared)
            try await home.withLab("clone") { lab in
                try await lab.upOrFail()
                try await lab.shell("echo shared >/data/note; sync /data/note")
                let made = try await home.run("volume", "clone", lab.data, "copy", "--format", "json")
                try #require(made.status == 0, "\(made.errors)")
                try await lab.shell("echo mine >>/data/note; sync /data/note")

                let text = try String(contentsOfFile: lab.file, encoding: .utf8)
                    .replacingOccurrences(of: "  servers:\n", with: Self.secondVolume + "  servers:\n" + Self.twin)
                let both = "\(home.path)/\(lab.name)-both.yaml"
                try Data(text.utf8).write(to: URL(fileURLWithPath: both))
                let up = try await home.run("up", "-f", both, "twin")
                try #require(up.status == 0, "\(up.errors)")
                let twin = "\(lab.name)/twin"
                let note = try await home.run([
                    "exec", twin, "--", "sh", "-c", "cat /data/note; echo other >>/data/note",
                ])
                #expect(note.text == "shared\n", "\(note.errors)")
                #expect(try await lab.shell("cat /data/note") == "shared\nmine")

                #expect(try await home.run("stop", twin).status == 0)
                #expect(try await home.run("down", lab.name).status == 0)
                let deletion = try await home.run("volume", "delete", lab.data, "--yes", "--format", "json")
                let kept = try deletion.json(DeletionReport.self).kept
                #expect(try await home.run("volume", "purge", kept, "--yes").status == 0)
                #expect(try await home.run("volume", "check", "\(lab.name)/copy").status == 0)
            }
        }

        // A sweep kills it everywhere in a snapshot.
        @Test(
            "after kiln was killed while a live snapshot held a guest still, it writes on, and a restart keeps every write"
        )
        func killed() async throws {
            let home = try #require(Home.shared)
            try await home.withLab("halfway") { lab in
                try await lab.upOrFail()
                try await lab.shell("echo before >/data/note; sync /data/note")
                let killed = try await home.run(
                    "volume",
                    "snapshot",
                    lab.data,
                    failpoint: "volume-switch.frozen=kill"
                )
                #expect(killed.status == 137)
                // A guest that was left frozen is thawed by the next command that changes something.
                #expect(try await home.run("recover", lab.web).status == 0)
                try await lab.shell("echo during >>/data/note; sync /data/note")
                try await lab.restart {}
                #expect(try await lab.shell("cat /data/note") == "before\nduring")
                try await lab.shell("echo after >>/data/note; sync /data/note")
                #expect(try await home.run("volume", "snapshot", lab.data, "last").status == 0)
                try await lab.restart {
                    let check = try await home.run("volume", "check", lab.data)
                    #expect(check.status == 0, "\(check.errors)")
                }
                #expect(try await lab.shell("cat /data/note") == "before\nduring\nafter")
            }
        }

        private static let writer =
            "i=0; while :; do i=$((i+1)); echo $i >>/data/ledger; sync /data/ledger; done"
        private static let secondVolume = "    copy: { size: 64MiB, filesystem: ext4 }\n"
        private static let twin = """
                twin: { image: "tiny:1", volumes: { copy: /data }, ready: [cloud-init] }

            """

        private func lines(_ lab: Lab, atLeast least: Int) async throws -> Int {
            var found = 0
            try await eventually("\(least) lines", within: .seconds(60)) {
                let text = try await lab.shell("touch /data/ledger; wc -l </data/ledger")
                found = Int(text) ?? 0
                return found >= least
            }
            return found
        }

        /// That the lines are 1, 2, 3 and so on; returns how many.
        @discardableResult
        private func expectWhole(_ lab: Lab, atLeast least: Int) async throws -> Int {
            let text = try await lab.shell("cat /data/ledger")
            let lines = text.split(separator: "\n").map(String.init)
            #expect(lines.count >= least)
            #expect(lines == (1...max(1, lines.count)).map(String.init))
            return lines.count
        }
    }
}

extension Lab {
    /// The volume, as a user names it.
    fileprivate var data: String { "\(name)/data" }

    /// Stops the server, does something, and starts it.
    fileprivate func restart(_ meanwhile: () async throws -> Void) async throws {
        let stop = try await home.run("stop", web)
        try #require(stop.status == 0, "\(stop.errors)")
        try await meanwhile()
        let start = try await home.run("start", web)
        try #require(start.status == 0, "\(start.errors)")
    }
}

private struct SnapshotReport: Decodable {
    struct Snapshot: Decodable {
        let name: String
        let consistency: String
    }

    let snapshot: Snapshot
}

private struct RestoreReport: Decodable {
    let discarded: String
}

private struct DeletionReport: Decodable {
    let kept: String

    enum CodingKeys: String, CodingKey {
        case kept = "retained_as"
    }
}

extension Home {
    /// The labs of a scenario's runs.
    fileprivate func labs(of scenario: String) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: path + "/labs")) ?? []).filter {
            $0.hasPrefix(scenario + "-")
        }
    }
}

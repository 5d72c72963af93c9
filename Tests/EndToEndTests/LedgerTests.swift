import Foundation
import KilnModel
import Testing

extension EndToEnd {
    @Suite("A ledger on a real volume", .lane, .serialized, .timeLimit(.minutes(12)))
    struct Ledger {
        @Test("a record that is deleted, one that is torn and one that is doubled are each counted, and the exit is 5")
        func damage() async throws {
            let home = try #require(Home.shared)
            let name = "damaged-\(String(UInt16.random(in: .min ... .max), radix: 36))x"
            let file = "\(home.path)/\(name).yaml"
            try Data(scenario(name).utf8).write(to: URL(fileURLWithPath: file))
            let result = try await home.run("run", file, "--format", "json")
            #expect(result.exit == .dataLoss, "\(result.errors)")
            let report = try result.json(RunReport.self)
            #expect(report.outcome == "failed")
            let ledger = try #require(report.ledger)
            #expect(ledger.lost == 1 && ledger.torn == 1 && ledger.duplicated == 1)
            for kept in try await home.run("volume", "list", "--format", "json").json(VolumeListReport.self).retained {
                _ = try await home.run("volume", "delete", "--purge", kept, "--yes")
            }
            #expect(home.machines.isEmpty)
        }

        // The writer holds the file open, so it is damaged in place: a whole line becomes blanks of the same length.
        private func scenario(_ name: String) -> String {
            #"""
            kiln: 1
            name: \#(name)
            lab:
              volumes:
                data: { size: 64MiB }
              servers:
                web: { image: "tiny:1", volumes: { data: /data }, ready: [agent, cloud-init] }
            steps:
              - up: [web]
              - write-ledger: { server: web, path: /data/ledger }
              - exec:
                  server: web
                  command: |
                    until [ "$(wc -l </data/ledger)" -ge 12 ]; do sleep 0.2; done
                    line() { sed -n "$1p" /data/ledger; }
                    at() { head -n $(($1 - 1)) /data/ledger | wc -c; }
                    put() { dd of=/data/ledger bs=1 seek="$(at "$1")" conv=notrunc 2>/dev/null; }
                    third=$(line 3); fifth=$(line 5)
                    printf '%*s' "${#third}" '' | put 3
                    printf 'x' | dd of=/data/ledger bs=1 seek=$(($(at 5) + ${#fifth} - 1)) conv=notrunc 2>/dev/null
                    line 7 >>/data/ledger
                    sync -d /data/ledger
              - verify-ledger: { server: web, records-at-least: 20 }
            """#
        }
    }
}

extension Twin {
    /// Those of faults: without the fault what is expected of it does not happen, and one that hits nothing is no pass.
    static let faults: [Twin] = untouched + unmade + unhit + others

    /// A replacement that nothing happens to goes through.
    private static let untouched: [Twin] = [
        Twin(
            "faults/bad-image",
            without: """
                    during:
                      - at: prepare.after
                        fault: { bad-image: { server: web, how: truncated } }

                """,
            says: "committed found"
        ),
        Twin(
            "faults/bad-image",
            without: """
                    during:
                      - at: prepare.after
                        fault: { bad-image: { server: web, how: unbootable } }

                """,
            says: "committed found"
        ),
        Twin(
            "faults/bad-user-data",
            without: """
                    during:
                      - at: prepare.after
                        fault: { bad-user-data: { server: web, how: unreadable } }

                """,
            says: "committed found"
        ),
        Twin(
            "faults/bad-user-data",
            without: """
                    during:
                      - at: prepare.after
                        fault: { bad-user-data: { server: web, how: endless } }

                """,
            says: "committed found"
        ),
        Twin(
            "faults/kill-kiln",
            without: """
                    during:
                      - at: snapshot.before
                        fault: { kill-kiln: { server: web } }

                """,
            says: "committed found"
        ),
        Twin(
            "faults/kill-kiln",
            without: """
                    during:
                      - at: start.after
                        fault: { kill-kiln: { server: web } }

                """,
            says: Twin.notInterrupted
        ),
        Twin(
            "faults/power-cut-new",
            without: """
                    during:
                      - at: healthy.before
                        fault: { power-cut: { server: web, machine: new } }

                """,
            says: "committed found"
        ),
        Twin(
            "faults/host/host-disk-full",
            without: """
                    during:
                      - at: snapshot.before
                        until: start-old.before
                        fault: { host-disk-full: { of: volumes } }

                """,
            says: "committed found"
        ),
    ]

    /// What has to fail while the fault lasts passes without it.
    private static let unmade: [Twin] = [
        Twin("faults/disk-full", unmade: "disk-full: { server: web, volume: data }"),
        Twin("faults/link-cut", unmade: "link-cut: { server: db, network: lan }"),
        Twin("faults/port-taken", unmade: "port-taken: { server: web, port: http }"),
        Twin("faults/split", unmade: "split: { network: lan, sets: [[web], [db]] }"),
        Twin("faults/volume-in-use", unmade: "volume-in-use: { volume: data }"),
        Twin("faults/host/base-image-changed", unmade: #"base-image-changed: { image: "tiny:2" }"#),
    ]

    private init(_ scenario: String, unmade fault: String) {
        self.init(
            scenario,
            without: "  - fault:\n      \(fault)\n",
            with: "  - repeat:\n      times: 1\n",
            says: "a failure expected, but it passed"
        )
    }

    /// Nobody uses what is broken.
    private static let unhit: [Twin] = [
        Twin("faults/io-error", unused: "  - fault: { io-error: { server: web, volume: data }, for: 10s }\n"),
        Twin(
            "faults/read-only-disk",
            unused: "  - fault: { read-only-disk: { server: web, volume: data }, for: 10s }\n"
        ),
        Twin(
            "faults/slow-disk",
            unused: """
                  - fault:
                      slow-disk: { server: web, volume: data, operations: 20 }
                      for: 10s

                """
        ),
        Twin("faults/link-loss", without: "ping -c 10 -w 15 db || true", with: "true", says: Twin.nothingHit),
    ]

    private static let nothingHit = "nothing shows that it hit anything"

    // Nothing is written to the volume by then: what its mount began has ended.
    private init(_ scenario: String, unused fault: String) {
        let ledger = "  - write-ledger: { server: web, path: /data/ledger }\n"
        self.init(
            scenario,
            without: ledger + fault,
            with: "  - sleep: 20s\n" + fault + ledger,
            says: Twin.nothingHit
        )
    }

    private static let others: [Twin] = [
        Twin("faults/clock-skew", without: "behind: 1h", with: "ahead: 1h", says: "its clock is not behind"),
        // It goes on, but not where it was.
        Twin(
            "faults/freeze",
            without: "fault: { freeze: { server: web }, for: 5s }",
            with: "reboot: [web]",
            says: "web: boot id"
        ),
        // Init can't start the service again.
        Twin(
            "faults/kill-service",
            without: "  - fault: { kill-service",
            with: """
                  - exec: { server: web, command: "chmod -x /usr/lib/kiln/http" }
                  - fault: { kill-service
                """,
            says: "GET /health: 200 expected"
        ),
        // What comes too late does not come.
        Twin("faults/link-delay", without: "by: 500ms", with: "by: 60s", says: "exit status 0 expected, 1 found"),
        // The link goes, and does not come.
        Twin(
            "faults/link-flap",
            without: "link-flap: { server: db, network: lan, every: 1s, seed: 7 }",
            with: "link-cut: { server: db, network: lan }",
            says: "exit status 0 expected, 1 found"
        ),
        // What was acknowledged is not there.
        Twin(
            "faults/power-cut",
            without: "  - verify-ledger",
            with: """
                  - exec: { server: web, command: "truncate -s 0 /data/ledger && sync" }
                  - verify-ledger
                """,
            says: "first lost: record"
        ),
        // A daemon that nobody killed is nothing that the machine outlived.
        Twin(
            "faults/host/kill-libvirtd",
            without: "at: start.after",
            with: "at: start-old.after",
            says: "which never came"
        ),
    ]
}

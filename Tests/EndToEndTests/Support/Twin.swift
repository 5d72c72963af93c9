import Testing

/// A scenario of the library without the line that its lesson is about: it has to fail, for the reason that the lesson names.
struct Twin: Sendable, CustomTestStringConvertible {
    /// The scenario's name.
    let scenario: String
    /// What is taken out, wherever it stands.
    let line: String
    /// What stands in its place.
    let instead: String
    /// What the run says of its failure.
    let reason: String

    init(_ scenario: String, without line: String, with instead: String = "", says reason: String) {
        self.scenario = scenario
        self.line = line
        self.instead = instead
        self.reason = reason
    }

    var testDescription: String { scenario }
}

extension Twin {
    /// Those that need tiny only.
    static let tiny: [Twin] = [
        Twin(
            "replace-keeps-data",
            without: "path: /data/ledger",
            with: "path: /ledger",
            says: "anything else is gone after a replacement"
        ),
        Twin(
            "crash-healed",
            without: "  - heal: { server: web, within: 2m }\n",
            says: "is off, so its guest can't be reached"
        ),
        Twin(
            "crash-loop",
            without: "  - restore: { volume: data, to: before }\n",
            says: "but its machine is off"
        ),
        Twin("load-doubles", without: "requests: 12", with: "requests: 100", says: "an end within"),
        Twin(
            "load-doubles",
            without: "      replicas: 1\n",
            with: "      replicas: 1\n      volume-from: empty\n",
            says: "it has no copy of the data"
        ),
        Twin(
            "herd",
            without: "      replicas: 8\n      launch: flash\n",
            with: "      replicas: 8\n",
            says: "a clone expected"
        ),
        Twin("bad-image-reverts", without: ", outcome: reverted", says: "does not pass its 'verify'"),
        Twin("rehearsal", without: "rehearse: true, ", says: "reverted found"),
        Twin("rollout-turns-back", without: "echo c > /proc/sysrq-trigger", with: "true", says: "committed found"),
        Twin("hold", without: "      hold: 2m\n", says: "failed requests expected"),
        Twin(
            "reboot-is-no-replacement",
            without: "replace: { server: web }",
            with: "reboot: [web]",
            says: "/etc/changed"
        ),
        Twin(
            "snowflake",
            without: #"replace: { server: web, image: "tiny:1" }"#,
            with: "reboot: [web]",
            says: "    web: no drift expected, found /etc/hotfix"
        ),
        Twin(
            "phoenix-round",
            without: "  - heal: { server: north, within: 3m, until: renewed }\n",
            says: "no drift expected, found /etc/gathered"
        ),
        Twin(
            "metadata-makes-a-server",
            without: "  - up\n",
            with: """
                  - up
                  - exec: { server: blog, command: "echo blog > /srv/www/role" }

                """,
            says: "no drift expected, found /srv/www/role"
        ),
        Twin("metadata-makes-a-server", without: "content: blog", with: "content: shop", says: "'blog' expected"),
        Twin(
            "warm-against-stop",
            without: "strategy: warm-first",
            with: "strategy: stop-first",
            says: "exit status 0 expected, 1 found"
        ),
        Twin("volume-attached-again", without: "/data/record", with: "/srv/record", says: "/srv/record"),
        Twin(
            "replica-from-a-clone",
            without: """
                  - clone: { volume: data, as: copy }
                    save: { consistency: consistency }
                  - note: "the copy is ${saved.consistency}"

                """,
            says: "/data/record"
        ),
        Twin(
            "nested-mounts",
            without: "strategy: stop-first }\n",
            with: """
                strategy: stop-first }
                  - exec: { server: web, command: "mount -o bind /data /data" }

                """,
            says: "/data/inner"
        ),
        // Mounted by the name that it had.
        Twin(
            "device-order",
            without: """
                  - use: look
                  - replace
                """,
            with: """
                  - exec: { server: web, command: [sh, -c, 'umount /left && mount "$1" /left', "-", "${saved.before}"] }
                  - use: look
                  - replace
                """,
            says: "/left/name"
        ),
        Twin("formatting-boot", without: ", outcome: reverted", says: "has formatted volume"),
        Twin("hidden-below-the-mount", without: "      hidden-data: abort\n", says: "committed found"),
        Twin(
            "uid-mismatch",
            without: """
                      verify:
                        - exec: { run: "su app -c 'echo record >> /data/app/records'", failures: 1, hint: the user has another number }

                """,
            says: "committed found"
        ),
        Twin("image-lacks-the-mount", without: ", outcome: reverted", says: "is not the volume"),
        Twin(
            "forgotten-fsync",
            without: "/data/careful && sync",
            with: "/data/careful",
            says: "what was synced is lost"
        ),
        Twin(
            "power-cut-while-writing",
            without: "  - start: [web]\n",
            with: """
                  - start: [web]
                  - exec: { server: web, command: "truncate -s 0 /data/ledger && sync" }

                """,
            says: "first lost: record"
        ),
        Twin("crashing-image-reverts", without: ", outcome: reverted", says: "panic"),
        Twin("never-ready-reverts", without: ", outcome: reverted", says: "/version"),
        Twin("kiln-killed", unkilled: "prepare.after", says: "committed found"),
        Twin("kiln-killed", unkilled: "prove-off.after", says: "committed found"),
        Twin("kiln-killed", unkilled: "start.after", says: Twin.notInterrupted),
        Twin("kiln-killed", unkilled: "commit.before", says: Twin.notInterrupted),
        Twin("link-cut-while-warm", without: ", outcome: reverted", says: "ping"),
        // The old machine is off while its successor boots.
        Twin("warm-first", without: "      strategy: warm-first\n", says: "one by stop-first found"),
        // The guest does not know where its data is.
        Twin(
            "external-database",
            without: #"DATABASE_URL=${external.db.url}\n"#,
            with: #"DATABASE_URL=none\n"#,
            says: "nobody has told it of the database"
        ),
        Twin(
            "forgotten-after-clone",
            without: "      after-clone: [{ run: [cp, /etc/member, /data/identity] }]\n",
            says: "it takes itself for another member"
        ),
        // All are out at once.
        Twin(
            "rollout",
            without: "      replicas: 3\n",
            with: "      replicas: 3\n      rollout: { max-unavailable: 3 }\n",
            says: "failed requests expected"
        ),
        // The image is good.
        Twin("rollout-bad-from-the-start", without: #", contains: "1""#, says: "committed found"),
        Twin(
            "rollout-judged",
            without: "        judge: { requests: 30, more-errors: 5 }\n",
            says: "committed found"
        ),
    ]

    static let notInterrupted = "whose command was interrupted expected"

    // Nobody kills Kiln there.
    private init(_ scenario: String, unkilled moment: String, says reason: String) {
        let line = "    during: [{ at: \(moment), fault: { kill-kiln: { server: web } } }]\n"
        self.init(scenario, without: line, says: reason)
    }

    /// Those of images, in a store of their own: what passes there once has passed.
    static let images: [Twin] = [
        Twin(
            "configuration-tested",
            without: """
                grep -q goodbye /srv/www/greeting]
                  - replace: { server: web, rehearse: true }
                """,
            with: """
                grep -q goodbye /srv/www/greeting]
                  - replace: { server: web }
                """,
            says: "one that is untested found"
        ),
        Twin(
            "images/image-revoked",
            without: "  - revoke: { image: \"tiny:2\", reason: it has a hole }\n",
            says: "an image that is not attested expected"
        ),
    ]

    /// In a store in which nothing of tiny was tested.
    static let untested = Twin(
        "only-tested-images",
        without: "tiny@stable",
        with: "tiny:1",
        says: "has to have passed its tests"
    )

    /// Those that need an image of a service.
    static let services: [Twin] = [
        Twin(
            "registry-etcd",
            without: #"  - replace: { server: app, image: "etcd:2" }\#n"#,
            says: "'goodbye' expected in the output"
        ),
        // What it knew is gone with its machine.
        Twin(
            "registry-etcd",
            without: "  - name: what it knew is there\n",
            with: """
                  - exec: { server: registry, command: "etcdctl put greeting nothing" }
                  - name: what it knew is there

                """,
            says: "'hello' expected in the output"
        ),
        // All are out at once, and nobody looks who leads.
        Twin(
            "registry-rollout",
            without: "      drain:\n        - quiet: true\n          run: |\n            set -e\n",
            with: """
                      rollout: { max-unavailable: 3 }
                      drain:
                        - quiet: true
                          run: |
                            exit 0

                """,
            says: "failed requests expected"
        ),
        Twin(
            "registry-zookeeper",
            without: #"  - replace: { server: app, image: "zookeeper:2" }\#n"#,
            says: "'goodbye' expected in the output"
        ),
        Twin(
            "registry-zookeeper",
            without: "  - name: what it knew is there\n",
            with: """
                  - exec: { server: registry, command: [registry, localhost, set, /greeting, nothing] }
                  - name: what it knew is there

                """,
            says: "'hello' expected in the output"
        ),
        Twin("central-syslog", without: #"action.resumeRetryCount="-1" "#, says: "is missing"),
        Twin(
            "central-syslog",
            without: #"queue.filename="ship" "#,
            says: "of 50 was not kept"
        ),
        Twin(
            "cfengine-snowflake",
            without: #"replace: { server: web, image: "cfengine:1" }"#,
            with: "reboot: [web]",
            says: "    web: no drift expected, found /etc/motd"
        ),
        Twin(
            "puppet-snowflake",
            without: #"replace: { server: web, image: "puppet-agent:1" }"#,
            with: "reboot: [web]",
            says: "    web: no drift expected, found /etc/motd"
        ),
        Twin(
            "baked-not-configured",
            without: "    expect-failure: /srv/www/role\n",
            says: "    configured: no drift expected, found /srv/www/role"
        ),
        Twin("baked-pages", without: "      hold: 2m\n", says: "failed requests expected"),
        // The service begins its file anew, so the second generation has nothing of the first.
        Twin(
            "debian-replace",
            without: ">>/srv/data/starts",
            with: ">/srv/data/starts",
            says: "the first start is lost"
        ),
        // Nobody asks the old version whether it can read the data.
        Twin(
            "notes-migration",
            without: """
                      verify:
                        - http: { port: http, path: /notes, failures: 1, hint: the data has a newer schema than this version reads }

                """,
            says: "committed found"
        ),
        // The version before reads nothing of what the upgrade has left.
        Twin("postgres-upgrade", without: ", data-on-revert: restore", says: "reverted expected, halted found"),
        // A copy that nobody tells of its primary is a primary of its own.
        Twin(
            "postgres-standby",
            without: "/etc/kiln-postgres/standby.conf",
            with: "/etc/elsewhere",
            says: "after the clone expected"
        ),
        // Of one way, what the file server had acknowledged does not outlive it.
        Twin(
            "shared-files",
            without: #"  - replace: { server: files, image: "nfs:2" }\#n"#,
            with: """
                  - replace: { server: files, image: "nfs:2" }
                  - exec: { server: files, command: ": > /data/export/a/lines" }

                """,
            says: "some are missing"
        ),
    ]
}

import Foundation
import Glibc
import KilnModel
import Testing

extension EndToEnd {
    @Suite("Drift", .lane, .serialized, .timeLimit(.minutes(24)))
    struct Drift {
        @Test("an untouched tiny has none; whatever is changed is found by name, a forged time notwithstanding")
        func tiny() async throws {
            let home = try #require(Home.shared)
            try await home.withLab("drift", server: Self.tiny) { lab in
                try await lab.upOrFail()
                try await lab.expectNoDrift("after the boot")
                try await lab.shell(#"date -s "@$(($(date +%s) + 3700))"; echo kept >/data/record"#)
                try await lab.expectNoDrift("an hour later")
                try await expectNoDriftAfterStop(lab)

                try await lab.shell(Self.changes)
                let found = try await lab.drift()
                #expect(found.added == ["/data.txt", "/opt", "/opt/new%0Aend%203", "/usr/bin/backdoor"])
                #expect(found.deleted == ["/etc/os-release"])
                #expect(
                    found.what == [
                        "/etc/mtab": ["target"], "/srv/app/conf": ["content"],
                        "/srv/www/index.html": ["size", "content"], "/usr/bin/jq": ["mode"],
                        "/usr/lib/kiln/dhcp": ["owner"], "/usr/lib/kiln/http": ["content"],
                    ]
                )
                #expect(found.consistency == "frozen" && found.bytesChanged.contains("B"))
                // The guest writes on.
                try await lab.shell("echo more >/data/record; sync")
                let shown = try await home.run("drift", lab.web)
                #expect(shown.exit == .unmet && shown.text.contains("kiln replace \(lab.web)"))
                #expect(shown.text.contains("/opt/new%0Aend%203\n"))

                let replaced = try await lab.replace("tiny:2")
                try #require(replaced.status == 0, "\(replaced.errors)")
                try await lab.expectNoDrift("after a replacement")
                // Its root was kept, to be looked at.
                let past = try await home.run("drift", lab.web, "--generation", "1")
                #expect(past.exit == .unmet && past.text.contains("/usr/bin/backdoor"), "\(past.errors)")
                #expect(try FileManager.default.contentsOfDirectory(atPath: home.path + "/roots").isEmpty)
                #expect(try await home.run("drift", lab.web, "--generation", "9").exit == .usage)
            }
        }

        @Test("a volatile root forgets at a reboot what its volume keeps, and its drift can't be seen")
        func volatileRoot() async throws {
            let home = try #require(Home.shared)
            try await home.withLab("volatile", server: Home.plainServer + "\nroot: volatile") { lab in
                try await lab.upOrFail()
                try await lab.shell("echo gone >/etc/marker; echo kept >/data/record; sync")
                for verb in ["stop", "start"] {
                    let end = try await home.run(verb, lab.web)
                    try #require(end.status == 0, "\(end.errors)")
                }
                #expect(try await lab.shell("test ! -e /etc/marker; echo $?; cat /data/record") == "0\nkept")
                #expect(try await !lab.drift().observable)
            }
        }

        @Test("Debian 13 has none after boot, timers, stop and reboot; an installed package is found by name")
        func debian() async throws {
            let home = try #require(Home.shared)
            try await home.takeImages("debian-13", linking: true)
            try await home.withLab("drift-debian", server: Self.debian) { lab in
                try await lab.upOrFail()
                try await lab.expectNoDrift("after the boot")
                try await lab.shell(Self.hour)
                try await lab.expectNoDrift("an hour later")
                try await expectNoDriftAfterStop(lab)
                try await lab.rebootDebian()
                try await lab.expectNoDrift("after a reboot")

                try await lab.shell(Self.package)
                try await lab.shell("useradd intruder")
                let found = try await lab.drift()
                #expect(found.packages == ["kiln-probe"])
                #expect(found.added.contains("/opt/probe"))
                #expect(found.what["/etc/passwd"]?.contains("content") == true)
            }
        }

        private func expectNoDriftAfterStop(_ lab: Lab) async throws {
            let stop = try await lab.home.run("stop", lab.web)
            try #require(stop.status == 0, "\(stop.errors)")
            try await lab.expectNoDrift("when it is off", consistency: "off")
            let start = try await lab.home.run("start", lab.web)
            try #require(start.status == 0, "\(start.errors)")
            try await lab.expectNoDrift("after stop and start")
        }

        private static let tiny =
            Home.plainServer + "\n" + #"user-data: { write_files: [{ path: /srv/app/conf, content: "a: 1\n" }] }"#

        // Writes to /data go to the volume; /data.txt only has a name that begins alike.
        private static let changes = """
            echo x >>/srv/www/index.html
            echo x >/usr/bin/backdoor; echo x >/data.txt; echo x >/data/more
            mkdir /opt; echo x >"/opt/$(printf 'new\\nend 3')"
            rm /etc/os-release
            chmod u+s /usr/bin/jq; chown 1000 /usr/lib/kiln/dhcp; ln -sfn /nowhere /etc/mtab
            cp -p /usr/lib/kiln/http /tmp/http; tr e a </tmp/http >/usr/lib/kiln/http; touch -r /tmp/http /usr/lib/kiln/http
            echo "changed: 1" >/srv/app/conf
            """

        // One processor, because an emulated guest with several crashes now and then: see Sources/KilnHost/README.md.
        private static let debian = """
            image: debian-13:1
            processors: 1
            volumes: { data: /data }
            ports: { ssh: 22 }
            ready: [agent, cloud-init]
            ready-timeout: 8m
            stop-timeout: 90s
            """

        // What its timers would start, though all of them are masked.
        private static let hour = """
            date -s "@$(($(date +%s) + 3700))"
            systemctl start systemd-tmpfiles-clean apt-daily apt-daily-upgrade fstrim dpkg-db-backup
            """

        private static let package = """
            mkdir -p /tmp/probe/DEBIAN /tmp/probe/opt; echo probe >/tmp/probe/opt/probe
            cat >/tmp/probe/DEBIAN/control <<END
            Package: kiln-probe
            Version: 1.2
            Architecture: all
            Maintainer: nobody <nobody@localhost>
            Description: a package that the image has not
            END
            dpkg-deb -b /tmp/probe /tmp/probe.deb && dpkg -i /tmp/probe.deb
            """
    }
}

/// What `kiln drift --format json` says.
private struct DriftFindings: Decodable {
    struct Modification: Decodable {
        let path: String
        let what: [String]
    }

    struct Package: Decodable { let name: String }

    let observable: Bool
    let consistency: String
    let added: [String]
    let modified: [Modification]
    let deleted: [String]
    let packageChanges: [Package]
    let bytesChanged: String

    var what: [String: [String]] { Dictionary(uniqueKeysWithValues: modified.map { ($0.path, $0.what) }) }
    var packages: [String] { packageChanges.map(\.name) }

    enum CodingKeys: String, CodingKey {
        case observable, consistency, added, modified, deleted
        case packageChanges = "packages"
        case bytesChanged = "bytes_changed"
    }
}

extension Lab {
    fileprivate func drift() async throws -> DriftFindings {
        try await home.run("drift", web, "--format", "json").json(DriftFindings.self)
    }

    fileprivate func expectNoDrift(
        _ when: Comment,
        consistency: String = "frozen",
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let result = try await home.run("drift", web, "--format", "json")
        #expect(result.status == 0, "\(when): \(result.text) \(result.errors)", sourceLocation: sourceLocation)
        let found = try result.json(DriftFindings.self)
        #expect(found.observable, when, sourceLocation: sourceLocation)
        #expect(found.consistency == consistency, when, sourceLocation: sourceLocation)
    }

    fileprivate func rebootDebian() async throws {
        let bootID = "cat /proc/sys/kernel/random/boot_id"
        let before = try await shell(bootID)
        try await shell("systemd-run --on-active=1 systemctl reboot")
        try await eventually("the guest has rebooted", within: .seconds(240)) {
            let now = try await home.run("exec", web, "--", "sh", "-c", bootID)
            return now.status == 0 && now.text.trimmingCharacters(in: .newlines) != before
        }
        let wait = try await home.run("wait", web)
        try #require(wait.status == 0, "\(wait.errors)")
    }
}

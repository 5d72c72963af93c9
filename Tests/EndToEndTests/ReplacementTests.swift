import Foundation
import KilnModel
import Testing

extension EndToEnd {
    @Suite("A server's life", .lane, .serialized, .timeLimit(.minutes(10)))
    struct Life {
        private static let bootID = "cat /proc/sys/kernel/random/boot_id"
        private static let instance = "cat /var/lib/cloud/data/instance-id"
        private static let volume = "device=$(awk '$2 == \"/data\" { print $1 }' /proc/mounts); readlink -f $device"
        private static let fileSystem =
            "blkid $(awk '$2 == \"/data\" { print $1 }' /proc/mounts) | grep -o 'UUID=\"[^\"]*\"'"

        @Test("a replacement drops what was written to the root, and keeps the volume and the image")
        func replacement() async throws {
            let home = try #require(Home.shared)
            try await home.withLab("replace") { lab in
                try await lab.upOrFail()
                let before = try #require(try await lab.status().image)
                let sealed = try await SealedImage(home, before.digest)
                let (boot, instance) = (try await lab.shell(Self.bootID), try await lab.shell(Self.instance))
                let fileSystem = try await lab.shell(Self.fileSystem)
                let marker = "marker-\(UUID().uuidString)"
                try await lab.shell("echo \(marker) >/etc/marker; echo kept >/data/record; sync")

                let overlay = "\(lab.directory)/servers/web/generations/1/root.qcow2"
                #expect(try Data(contentsOf: URL(fileURLWithPath: overlay)).range(of: Data(marker.utf8)) != nil)

                let result = try await lab.replace("tiny:2")
                try #require(result.status == 0, "\(result.errors)")
                try await lab.expectOnly(generation: 2)
                #expect(try await lab.shell("test ! -e /etc/marker; echo $?; cat /data/record") == "0\nkept")
                #expect(try await lab.shell(Self.fileSystem) == fileSystem)
                #expect(try await lab.shell(Self.bootID) != boot)
                let successor = try await lab.shell(Self.instance)
                #expect(successor != instance)
                let status = try await lab.status()
                #expect(status.instanceID == successor && status.image?.version == "2")
                #expect(try await SealedImage(home, before.digest) == sealed)
                #expect("sha256:\(sealed.sha256)" == before.digest)
                #expect(sealed.mode & 0o222 == 0)
            }
        }

        @Test("stop and start, and the guest's own reboot, are the same generation with its data")
        func powerCycle() async throws {
            let home = try #require(Home.shared)
            try await home.withLab("power") { lab in
                try await lab.upOrFail()
                // While the seed is there it comes before the volume; without it the volume's device has another name.
                let (first, instance) = (try await lab.shell(Self.bootID), try await lab.shell(Self.instance))
                let mount = try await lab.shell("awk '$2 == \"/data\" { print $1 }' /proc/mounts /etc/fstab | sort -u")
                let node = try await lab.shell(Self.volume)
                #expect(mount.contains("/dev/disk/by-id/virtio-\(try await lab.volume().id)"))
                try await lab.shell("echo kept >/data/record; sync /data/record")
                #expect(lab.artefacts == ["servers/web/generations/1/root.qcow2"], "the seed is gone")

                let stop = try await home.run("stop", lab.web)
                try #require(stop.status == 0, "\(stop.errors)")
                #expect(lab.machines.isEmpty)
                #expect(try await lab.status().state == "off")
                #expect(try await home.run("exec", lab.web, "--", "true").exit == .blocked)
                let start = try await home.run("start", lab.web)
                try #require(start.status == 0, "\(start.errors)")
                try await expectSame(lab, instance)
                let second = try await lab.shell(Self.bootID)
                #expect(second != first)
                #expect(try await lab.shell(Self.volume) != node)

                // Later, because the agent that answers goes down with the guest.
                try await lab.shell("(sleep 1; reboot) >/dev/null 2>&1 &")
                try await eventually("the guest has rebooted", within: .seconds(120)) {
                    let found = try await home.run("exec", lab.web, "--timeout", "5s", "--", "sh", "-c", Self.bootID)
                    return found.status == 0 && found.text.trimmingCharacters(in: .newlines) != second
                }
                #expect(try await home.run("wait", lab.web).status == 0)
                try await expectSame(lab, instance)
            }
        }

        private func expectSame(_ lab: Lab, _ instance: String) async throws {
            try await lab.expectOnly(generation: 1)
            #expect(try await lab.shell(Self.instance) == instance)
            #expect(try await lab.shell("cat /data/record") == "kept")
            #expect(try await lab.shell("cloud-init status").contains("done"))
        }
    }
}

/// What must never change of a sealed image.
struct SealedImage: Equatable {
    let sha256: String
    let mode: mode_t
    let owner: uid_t
    let size: Int64

    init(_ home: Home, _ digest: String) async throws {
        let path = "\(home.path)/images/sha256/\(digest.dropFirst("sha256:".count))/disk.qcow2"
        var found = stat()
        guard stat(path, &found) == 0 else { throw Unfulfilled(what: "\(path) exists", limit: .zero) }
        (mode, owner, size) = (found.st_mode, found.st_uid, Int64(found.st_size))
        sha256 = String(try await Command("/usr/bin/sha256sum", [path], environment: [:]).finish().text.prefix(64))
    }
}

import Foundation
import Glibc
import KilnModel
import Testing

@testable import KilnHost

@Suite("Who runs machines")
struct DaemonOwnerTests {
    @Test("a user that doesn't exist is named, with the way out")
    func missing() {
        #expect { try MachineOwner.named("no-such-user-here") } throws: { error in
            let error = error as? KilnError
            return error?.code == .ownerMissing && error?.hint?.contains("make setup") == true
        }
    }

    @Test("nobody's machines run as root")
    func neverRoot() throws {
        guard let owner = try? MachineOwner.current() else { return }
        #expect(owner.uid != 0)
        #expect(geteuid() == 0 ? owner.name == MachineOwner.systemUser : owner.uid == geteuid())
    }

    @Test(
        "files are given, links and shared names aren't",
        .enabled(if: geteuid() == 0, "only root can give files away")
    )
    func giving() throws {
        let root = FileManager.default.temporaryDirectory.appendingPathComponent("kiln-owner-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(atPath: root) }
        let owner = MachineOwner(uid: 12345, gid: 12346, name: "somebody")
        let file = root + "/file"
        #expect(FileManager.default.createFile(atPath: file, contents: nil))

        symlink(file, root + "/link")
        #expect { try owner.give(root + "/link") } throws: { ($0 as? KilnError)?.code == .ownerFailed }
        link(file, root + "/second")
        #expect { try owner.give(file) } throws: { ($0 as? KilnError)?.code == .ownerRefused }
        unlink(root + "/second")
        try owner.give(file)
        try owner.give(file)

        var found = stat()
        #expect(lstat(file, &found) == 0)
        #expect(found.st_uid == 12345 && found.st_gid == 12346)
    }

    @Test(
        "an embedded libvirt is configured once and left alone afterwards",
        .enabled(if: (try? EmbedRoot.checkBuiltInUser()) != nil, "needs the user libvirt-qemu")
    )
    func embedRoot() throws {
        let root = FileManager.default.temporaryDirectory.appendingPathComponent("kiln-em-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: root) }
        let me = MachineOwner(uid: geteuid(), gid: getegid(), name: "me")
        try EmbedRoot.prepare(root, owner: me)
        let file = root + "/etc/qemu.conf"
        #expect(try String(contentsOfFile: file, encoding: .utf8).contains("stdio_handler = \"file\"\n"))
        try Data("mine".utf8).write(to: URL(fileURLWithPath: file))
        try EmbedRoot.prepare(root, owner: me)
        #expect(try String(contentsOfFile: file, encoding: .utf8) == "mine")
    }
}

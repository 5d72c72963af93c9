import Foundation
import KilnTestSupport
import Testing

/// Where a template of clones stands, in a root that is a folder.
@Suite("What holds a Debian machine") struct HoldTests {
    private let root: TemporaryDirectory

    init() throws {
        root = try TemporaryDirectory()
        _ = try root.file("etc/machine-id", Array("of the template\n".utf8))
        _ = try root.file("var/lib/systemd/random-seed", [1])
        _ = try root.file("dev/console", [])
    }

    private func text(_ path: String) throws -> String {
        try String(contentsOfFile: "\(root.path)/\(path)", encoding: .utf8)
    }

    private func hold() throws {
        let file = RecipeTests.images + "/debian/root/usr/lib/kiln/hold"
        var script = try String(contentsOfFile: file, encoding: .utf8)
        for path in ["/var/", "/etc/", "/dev/console"] { script = script.replacing(path, with: root.path + path) }
        // What waits for the seed keeps what the disk has when a template is saved.
        let tools = """
            set -eu
            cd '\(root.path)'
            modprobe() { :; }
            busybox() { :; }
            systemctl() { :; }
            sync() { file=${1-}; echo "sync ${file#'\(root.path)'}" >> events; }
            udevadm() { cat dev/console >> events; cp etc/machine-id held; ls var/lib/systemd > seeds; }

            """
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments = ["-c", tools + script]
        try process.run()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0)
    }

    @Test("the disk of a template has no identity that two clones could boot with; that of a clone has its own")
    func identity() throws {
        try hold()
        #expect(try text("held").isEmpty && text("seeds").isEmpty)
        #expect(try text("events") == "sync \nkiln-guest: phase=held\nsync /etc/machine-id\n")
        #expect(try text("etc/machine-id").wholeMatch(of: #/[0-9a-f]{32}\n/#) != nil)
        let first = try text("etc/machine-id")
        try hold()
        #expect(try text("etc/machine-id") != first)
    }
}

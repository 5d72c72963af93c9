import Foundation
import KilnModel
import KilnTestSupport
import Testing

@testable import KilnEngine

/// The script that looks for mounts, on a made-up list of them.
@Suite("What a guest says of its mounts") struct GuestMountTests {
    private let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    private var root: String { directory.path }

    /// Mounts disks in this order, each at a path below the test's directory, and asks for others in the same form.
    private func look(_ mounted: [(serial: String, path: String)], for wanted: [(serial: String, path: String)]) throws
        -> (status: Int32, said: String)
    {
        var table = "1 0 0:1 / / rw - ext4 /dev/vda rw\n"
        for (number, mount) in mounted.enumerated() {
            try FileManager.default.createDirectory(
                atPath: "\(root)/sys/254:\(number)",
                withIntermediateDirectories: true
            )
            try Data("\(mount.serial)\n".utf8).write(to: URL(fileURLWithPath: "\(root)/sys/254:\(number)/serial"))
            table += "\(number + 2) 1 254:\(number) / \(root)\(mount.path) rw - ext4 /dev/vdb rw\n"
        }
        try Data(table.utf8).write(to: URL(fileURLWithPath: root + "/mountinfo"))
        let script = GuestMount.script.replacing("/proc/self/mountinfo", with: root + "/mountinfo")
            .replacing("/sys/dev/block", with: root + "/sys")
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments =
            ["-c", script, "kiln", "glance"] + wanted.flatMap { ["unit", root + $0.path, $0.serial] }
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let said = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: said, as: UTF8.self).replacing(root, with: ""))
    }

    private func make(_ paths: String...) throws {
        for path in paths {
            try FileManager.default.createDirectory(atPath: root + path, withIntermediateDirectories: true)
        }
    }

    @Test("a mount that a later one hides is not there; one that lies on it is")
    func hidden() throws {
        try make("/data/inner")
        let (inner, outer) = ((serial: "v1", path: "/data/inner"), (serial: "v2", path: "/data"))
        #expect(try look([outer, inner], for: [outer, inner]).status == 0)
        let found = try look([inner, outer], for: [outer, inner])
        #expect(found.status == 1 && found.said == "/data/inner is not the volume v1\n")
        #expect(try look([outer], for: [outer, inner]).said == "/data/inner is not the volume v1\n")
        #expect(try look([(serial: "v3", path: "/data")], for: [outer]).said == "/data is not the volume v2\n")
    }

    @Test("two mount points of which one is a link to the other are told by name; a link alone does no harm")
    func links() throws {
        try make("/data", "/srv")
        try FileManager.default.createSymbolicLink(atPath: root + "/srv/link", withDestinationPath: root + "/data")
        let (data, link) = ((serial: "v1", path: "/data"), (serial: "v2", path: "/srv/link"))
        // The kernel lists where a link leads.
        let found = try look([data, (serial: "v2", path: "/data")], for: [data, link])
        #expect(
            found.status == 1 && found.said == "/data is not the volume v1, but v2: that is where /srv/link leads\n"
        )
        #expect(try look([(serial: "v2", path: "/data")], for: [link]).status == 0)
    }
}

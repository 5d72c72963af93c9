import Foundation
import Glibc
import Testing

/// Disks such as Debian publishes for clouds, made once for this checkout by the script `cloud-disk`.
enum CloudDisk {
    private static let folder = Home.checkout + "/.build/cloud-disks"
    private static let script = Home.checkout + "/Tests/EndToEndTests/Support/cloud-disk"

    /// Puts the disk of a suite, and a list of its checksum, into a folder.
    ///
    /// - Parameter name: what it is called there.
    static func put(_ suite: String, as name: String, in target: String) async throws {
        let disk = try await made(suite)
        try FileManager.default.createDirectory(atPath: target, withIntermediateDirectories: true)
        try FileManager.default.createSymbolicLink(atPath: "\(target)/\(name)", withDestinationPath: disk)
        let digest = try await sum(of: disk)
        let list = "\(target)/SHA256SUMS"
        let known = (try? String(contentsOfFile: list, encoding: .utf8)) ?? ""
        try Data((known + "\(digest)  \(name)\n").utf8).write(to: URL(fileURLWithPath: list))
    }

    /// The disk of a suite, which is made where it is not there, or was made by another script.
    private static func made(_ suite: String) async throws -> String {
        let disk = "\(folder)/\(suite)-\(try await sum(of: script).prefix(12)).qcow2"
        guard !FileManager.default.fileExists(atPath: disk) else { return disk }
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        var environment = ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"]
        environment["KILN_DEBIAN_MIRROR"] = ProcessInfo.processInfo.environment["KILN_DEBIAN_MIRROR"]
        let end = try await Command(script, [suite, disk], environment: environment).finish(within: .seconds(1_200))
        try #require(end.status == 0, "\(end.errors)")
        return disk
    }

    private static func sum(of file: String) async throws -> String {
        let end = try await Command("/usr/bin/sha256sum", [file], environment: [:]).finish()
        try #require(end.status == 0, "\(end.errors)")
        return String(end.text.prefix(64))
    }
}

import Foundation
import Glibc
import Testing

/// An archive of Debian packages as a folder, with a state of it for each of some days, as snapshot archives have them.
///
/// Its only package is all that a tree needs for a bake: busybox, and who root is.
struct PackageArchive: Sendable {
    /// The folder.
    let path: String

    static let package = "kiln-probe"

    /// What a recipe calls it: the day comes in the place of `{snapshot}`.
    var mirror: String { "deb [trusted=yes] file:\(path)/{snapshot} trixie main" }

    /// Adds a day on which the package has a version; a day is written as `20260101`.
    func add(_ day: String, version: String) async throws {
        let place = "\(path)/\(day)T000000Z"
        let index = "main/binary-amd64/Packages"
        let control = """
            Package: \(PackageArchive.package)
            Version: \(version)
            Architecture: all
            Maintainer: nobody <nobody@localhost>
            Description: a tree

            """
        let package = try await build(control, version, in: place)
        let entry = "Filename: pool/probe.deb\nSize: \(package.size)\nSHA256: \(package.digest)\n"
        try write(control + entry, to: "\(place)/dists/trixie/\(index)")
        let sums = try await sum("\(place)/dists/trixie/\(index)")
        let release = """
            Origin: Debian
            Suite: trixie
            Codename: trixie
            Components: main
            Architectures: amd64
            Date: Thu, 01 Jan 2026 00:00:00 UTC
            SHA256:
             \(sums.digest) \(sums.size) \(index)

            """
        try write(release, to: "\(place)/dists/trixie/Release")
    }

    private func build(_ control: String, _ version: String, in place: String) async throws -> Sum {
        let (tree, package) = ("\(place)/tree", "\(place)/pool/probe.deb")
        try write(control, to: "\(tree)/DEBIAN/control")
        try write("root:x:0:0:root:/root:/bin/sh\n", to: "\(tree)/etc/passwd")
        try write("root:x:0:\n", to: "\(tree)/etc/group")
        try write(version + "\n", to: "\(tree)/etc/probe")
        try FileManager.default.createDirectory(atPath: "\(tree)/bin", withIntermediateDirectories: true)
        try FileManager.default.createDirectory(atPath: "\(place)/pool", withIntermediateDirectories: true)
        try FileManager.default.copyItem(atPath: "/usr/bin/busybox", toPath: "\(tree)/bin/busybox")
        for applet in PackageArchive.applets { symlink("busybox", "\(tree)/bin/\(applet)") }
        _ = try await run("/usr/bin/dpkg-deb", "--root-owner-group", "-Znone", "--build", tree, package)
        try FileManager.default.removeItem(atPath: tree)
        return try await sum(package)
    }

    private static let applets = [
        "sh", "cat", "ls", "id", "sleep", "rm", "mkdir", "chmod", "chown", "cp", "ln", "find", "dirname", "readlink",
    ]

    private struct Sum {
        let digest: String
        let size: Int
    }

    private func sum(_ file: String) async throws -> Sum {
        let digest = try await run("/usr/bin/sha256sum", file).prefix { $0 != " " }
        return Sum(digest: String(digest), size: try Data(contentsOf: URL(fileURLWithPath: file)).count)
    }

    private func write(_ text: String, to file: String) throws {
        let url = URL(fileURLWithPath: file)
        try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: url)
    }

    private func run(_ line: String...) async throws -> String {
        let command = try Command(line[0], Array(line.dropFirst()), environment: ["PATH": "/usr/bin:/bin"])
        let end = try await command.finish()
        try #require(end.status == 0, "\(line): \(end.errors)")
        return end.text
    }
}

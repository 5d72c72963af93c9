import Foundation
import Testing

/// e2fsprogs for guests of tiny, which has none: this host's, with the libraries and the loader that they take.
enum FileSystemTools {
    /// Where they lie on a volume that is mounted on `/data`.
    static let directory = "/data/tools"

    /// How one of them is run in a guest, from a directory that holds them all.
    static func line(_ tool: String, in directory: String = directory) -> String {
        "\(directory)/loader --library-path \(directory) \(directory)/\(tool)"
    }

    /// Puts them on the volume of a lab's server.
    static func give(to lab: Lab) async throws {
        let local = "\(lab.home.path)/\(lab.name)-tools"
        let archive = local + ".tar"
        defer {
            for path in [local, archive] { try? FileManager.default.removeItem(atPath: path) }
        }
        let script = """
            set -e
            mkdir '\(local)'
            cd /usr/sbin
            for tool in mke2fs tune2fs resize2fs e2fsck; do
                cp -L $tool '\(local)/'
                for library in $(ldd $tool | sed -n 's/.*=> \\(\\/[^ ]*\\).*/\\1/p'); do cp -L $library '\(local)/'; done
                cp -L "$(ldd $tool | sed -n 's/^[[:space:]]*\\(\\/[^ ]*\\).*/\\1/p')" '\(local)/loader'
            done
            tar -cf '\(archive)' -C '\(local)' .
            """
        try await lab.home.tool("/bin/sh", "-c", script)
        let copy = try await lab.home.run("cp", archive, "\(lab.web):/data/tools.tar")
        try #require(copy.status == 0, "\(copy.errors)")
        try await lab.shell("cd /data && mkdir tools && tar -xf tools.tar -C tools && rm tools.tar && sync")
    }
}

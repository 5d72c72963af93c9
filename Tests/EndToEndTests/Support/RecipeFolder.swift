import Foundation
import Glibc

/// A folder of recipes, beside each other as a user would have them.
struct RecipeFolder: Sendable {
    let path: String

    /// Writes a file of a recipe; a program may be executed.
    func write(_ text: String, to file: String, isProgram: Bool = false) throws {
        let url = URL(fileURLWithPath: "\(path)/\(file)")
        try FileManager.default.createDirectory(
            at: url.deletingLastPathComponent(),
            withIntermediateDirectories: true
        )
        try Data(text.utf8).write(to: url)
        chmod(url.path, isProgram ? 0o755 : 0o644)
    }

    /// Writes `motd`: tiny with a message, by a step of files and one of a program.
    func writeMessage() throws {
        try write(RecipeFolder.message, to: "motd/image.yaml")
        try write("hello\n", to: "motd/root/etc/motd")
        try write("#!/bin/sh\necho \"$KILN_VERSION\" > /etc/motd.version\n", to: "motd/setup.sh", isProgram: true)
    }

    private static let message = """
        kiln-image: 1
        name: motd
        about: tiny with a message.
        from: tiny:1
        provision:
          - files: { from: root, to: / }
          - shell: setup.sh
        tests:
          - file: { path: /etc/motd, mode: "0644", owner: root, contents: hello }
          - command: { run: cat /etc/motd.version, stdout: "1" }
        versions: { "1": {} }

        """
}

extension Home {
    /// A folder for recipes of a test's own.
    var recipes: RecipeFolder { RecipeFolder(path: path + "/recipes") }

    /// The folders of bakes, additions and imports under way.
    var work: [String] { (try? FileManager.default.contentsOfDirectory(atPath: path + "/images/work")) ?? [] }

    /// The digest of an image; nothing where the store has none of that name.
    func digest(of image: String) async throws -> String? {
        try await run("image", "list", "--format", "json").json(ImageListReport.self).images
            .first { "\($0.name):\($0.version)" == image }?.digest
    }
}

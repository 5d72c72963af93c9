import KilnModel
import KilnSystem

/// The programs of a bake, and which versions of them this host has.
struct BakeTools: Sendable, Hashable {
    /// By name: whatever is the first line that the program says of itself.
    ///
    /// Other versions of these make other images.
    let versions: [String: String]
    /// Those that are only written down: they take part, and the same images come of others, too.
    var noted: [String: String] = [:]

    /// All of them, by name.
    var all: [String: String] { noted.merging(versions) { _, decisive in decisive } }

    private static let questions: [String: [String]] = [
        "mke2fs": ["-V"], "mmdebstrap": ["--version"], "qemu-img": ["--version"],
    ]

    private static let minor = ["apt-get", "dpkg", "tar"]

    /// Asks all of them at once.
    ///
    /// - Parameter kiln: which Kiln this is; nothing where nobody says.
    /// - Throws: `KilnError` with code `tool.…`; `CancellationError`.
    static func onThisHost(kiln: String? = nil) async throws -> BakeTools {
        let others = await noted(kiln)
        return try await withThrowingTaskGroup(of: (String, String).self) { group in
            for (program, arguments) in questions {
                group.addTask { (program, try await version(of: program, arguments)) }
            }
            let versions = try await group.reduce(into: [:]) { versions, found in versions[found.0] = found.1 }
            return BakeTools(versions: versions, noted: others)
        }
    }

    private static func noted(_ kiln: String?) async -> [String: String] {
        var noted: [String: String] = [:]
        noted["kiln"] = kiln
        // A host without one of them may bake what does not need it.
        for program in minor { noted[program] = try? await version(of: program, ["--version"]) }
        return noted
    }

    private static func version(of program: String, _ arguments: [String]) async throws -> String {
        let output = try await Command(program, arguments, deadline: .seconds(20)).run()
        let said = output.output.isEmpty ? output.errors : output.output
        let line = String(decoding: said, as: UTF8.self).split(separator: "\n").first ?? ""
        return Printable.line(String(line.prefix(120)))
    }

    func describe(into key: inout KeyMaterial) { key.add("tool", versions) }
}

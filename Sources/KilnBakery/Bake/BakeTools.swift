import KilnModel
import KilnSystem

/// The programs of a bake, and which versions of them this host has.
struct BakeTools: Sendable, Hashable {
    /// By name: whatever is the first line that the program says of itself.
    let versions: [String: String]

    private static let questions: [String: [String]] = [
        "mke2fs": ["-V"], "mmdebstrap": ["--version"], "qemu-img": ["--version"],
    ]

    /// Asks all of them at once.
    ///
    /// - Throws: `KilnError` with code `tool.…`; `CancellationError`.
    static func onThisHost() async throws -> BakeTools {
        try await withThrowingTaskGroup(of: (String, String).self) { group in
            for (program, arguments) in questions {
                group.addTask {
                    let output = try await Command(program, arguments, deadline: .seconds(20)).run()
                    let said = output.output.isEmpty ? output.errors : output.output
                    let line = String(decoding: said, as: UTF8.self).split(separator: "\n").first ?? ""
                    return (program, Printable.line(String(line.prefix(120))))
                }
            }
            return BakeTools(
                versions: try await group.reduce(into: [:]) { versions, found in versions[found.0] = found.1 }
            )
        }
    }

    func describe(into key: inout KeyMaterial) { key.add("tool", versions) }
}

import Foundation
import KilnDocuments
import KilnModel
import KilnScenarios
import KilnSystem

/// What the host's cloud-init, where it has one, finds wrong with user-data.
///
/// https://cloudinit.readthedocs.io/en/latest/howto/debug_user_data.html
struct CloudInitSchema {
    /// cloud-init's own program; nothing where the host has none.
    var program = ProgramPath.find("cloud-init")

    /// Its findings on the cloud-configs of a lab that the file at `path` declares.
    func warnings(on lab: LabSpec, at path: String) async -> [Problem] {
        guard let program else { return [] }
        var warnings: [Problem] = []
        for (name, server) in lab.servers.sorted(by: { $0.key < $1.key }) {
            guard let config = server.userData, let findings = try? await findings(program, config) else { continue }
            warnings += findings.map { finding in
                Problem(
                    file: path,
                    position: Position(line: 1, column: 1),
                    path: "lab.servers.\(name).user-data",
                    message: "cloud-init's schema: \(finding)"
                )
            }
        }
        return warnings
    }

    // It reads files only; user-data may hold secrets.
    private func findings(_ program: String, _ config: JSONValue) async throws -> [String] {
        let place = FileManager.default.temporaryDirectory.path + "/kiln-schema-\(UUID().uuidString)"
        return try await DurableFile.withPrivateDirectory(beside: place) { directory in
            let file = directory + "/user-data"
            try (Data("#cloud-config\n".utf8) + JSONEncoder().encode(config)).write(to: URL(fileURLWithPath: file))
            let output = try await Command(program, ["schema", "-c", file]).result()
            let said = String(decoding: output.output + output.errors, as: UTF8.self)
            return said.split(whereSeparator: \.isNewline).compactMap { line in
                line.range(of: "Cloud config schema errors: ").map { String(line[$0.upperBound...]) }
            }
        }
    }
}

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

    /// What lint says once where nobody can be asked of these labs' user-data; nothing where there is nothing to ask.
    func note(on labs: [LabSpec]) -> String? {
        guard program == nil, labs.contains(where: { $0.servers.values.contains { !Self.configs(of: $0).isEmpty } })
        else { return nil }
        return
            "cloud-init's own schema was not asked of the user-data: install the package cloud-init to have it judged"
    }

    /// The cloud-configs of a server, as files of their own.
    private static func configs(of server: ServerSpec) -> [Data] {
        let parts = server.userDataDocument?.cloudConfigs ?? []
        let whole = server.userData.flatMap { try? JSONEncoder().encode($0) }.map { Data("#cloud-config\n".utf8) + $0 }
        return [whole].compactMap(\.self) + parts.map { Data($0.utf8) }
    }

    /// Its findings on the cloud-configs of a lab that the file at `path` declares.
    func warnings(on lab: LabSpec, at path: String) async -> [Problem] {
        guard let program else { return [] }
        var warnings: [Problem] = []
        for (name, server) in lab.servers.sorted(by: { $0.key < $1.key }) {
            var told: [String] = []
            for config in Self.configs(of: server) { told += (try? await findings(program, config)) ?? [] }
            warnings += told.map { finding in
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
    private func findings(_ program: String, _ config: Data) async throws -> [String] {
        let place = FileManager.default.temporaryDirectory.path + "/kiln-schema-\(UUID().uuidString)"
        return try await DurableFile.withPrivateDirectory(beside: place) { directory in
            let file = directory + "/user-data"
            try config.write(to: URL(fileURLWithPath: file))
            let output = try await Command(program, ["schema", "-c", file]).result()
            let said = String(decoding: output.output + output.errors, as: UTF8.self)
            return said.split(whereSeparator: \.isNewline).compactMap { line in
                line.range(of: "Cloud config schema errors: ").map { String(line[$0.upperBound...]) }
            }
        }
    }
}

import Foundation
import KilnModel
import KilnSystem

extension ExternalAccess {
    /// Writes down how a service is reached, readable for nobody else: guests that are made later are told, too.
    ///
    /// - Throws: `KilnError` with code `state.not-writable`.
    public static func write(_ access: ExternalAccess, for id: ExternalID, in state: StateDirectory) throws {
        try DurableFile.writeJSON(access, to: path(id, state), mode: 0o600)
    }

    /// How the external services of a lab are reached; nothing for a lab without any.
    static func all(of lab: Name, in state: StateDirectory) throws -> [Name: ExternalAccess] {
        var found: [Name: ExternalAccess] = [:]
        for name in names(of: lab, in: state) {
            found[name] = try DurableFile.readJSON(
                ExternalAccess.self,
                from: path(ExternalID(lab: lab, name: name), state)
            )
        }
        return found
    }

    /// The external services that are there, or half there, of a lab.
    static func names(of lab: Name, in state: StateDirectory) -> [Name] {
        let entries = (try? FileManager.default.contentsOfDirectory(atPath: state.externals(lab))) ?? []
        return entries.sorted().compactMap { try? Name($0) }
    }

    /// The ports of all external services.
    ///
    /// One that can't be read keeps no machine from its ports: whether they are free is seen on the host.
    static func ports(in state: StateDirectory) -> Set<UInt16> {
        let entries = (try? FileManager.default.contentsOfDirectory(atPath: state.runs)) ?? []
        let labs = entries.compactMap { entry -> Name? in
            guard entry.hasSuffix(".external") else { return nil }
            return try? Name(String(entry.dropLast(".external".count)))
        }
        return Set(labs.flatMap { ((try? all(of: $0, in: state)) ?? [:]).values.map(\.port) })
    }

    private static func path(_ id: ExternalID, _ state: StateDirectory) -> String {
        state.external(id) + "/access.json"
    }
}

import Foundation
import KilnModel
import KilnStore
import KilnSystem

/// What a listing tells of a generation: all of its record takes three times as long to read, and `kiln ps` reads one for each
/// server.
struct SeenGeneration: Sendable, Decodable {
    /// The part of the declaration that is told; what an older Kiln's record may lack is nothing there.
    struct Spec: Sendable, Decodable {
        let image: ImageReference
        let volumes: [Name: String]?
        let ports: [Name: PortSpec]?
        let networks: [Name]?
        let maxAge: Duration?
        let fleet: FleetSpec?
    }

    // First, as in the record: one of a later version is refused by that.
    private let format: RecordFormat?
    let spec: Spec
    let image: ServerStatus.Image
    let instanceID: String
    let created: Date
    let ports: [Name: UInt16]?
    let configuration: ImageDigest?
}

extension ServerWorkspace {
    /// What a listing tells of a generation; nothing where there is no record of it.
    func seen(_ machine: MachineID) throws -> SeenGeneration? {
        try DurableFile.readJSON(SeenGeneration.self, from: state.generation(machine) + "/generation.json")
    }
}

import ArgumentParser
import KilnEngine
import KilnModel
import KilnScenarios

/// `kiln down`: removes a lab's machines.
struct DownVerb: Verb {
    static let configuration = CommandConfiguration(
        commandName: "down",
        abstract: "Remove the machines of a lab; images and volumes stay.",
        discussion: "With the machines go their roots, their seeds and the history of their servers."
    )

    @Argument(
        help: "The lab; without it, that of the lab file.",
        completion: .labs
    )
    var name: String?

    @OptionGroup var lab: LabFileOption
    @OptionGroup var global: GlobalOptions

    func validate() throws {
        if name != nil && lab.file != nil { throw ValidationError("Give either LAB or -f FILE, not both.") }
    }

    func execute(_ session: Session) async throws -> Int32 {
        let name =
            try name.map { try Name($0) } ?? LabReader.lab(at: lab.path, isExplicit: lab.file != nil).name
        let workspace = try await session.workspace()
        try await workspace.engine.down(name)
        let kept = workspace.engine.volumes.names(of: name)
        try session.show(TakenDown(lab: name, kept: kept))
        return 0
    }
}

/// A lab whose machines were removed.
struct TakenDown: Renderable {
    let lab: Name
    let kept: [Name]

    struct Payload: Encodable {
        let lab: Name
        let keptVolumes: [Name]

        enum CodingKeys: String, CodingKey {
            case lab
            case keptVolumes = "kept_volumes"
        }
    }

    var payload: Payload { Payload(lab: lab, keptVolumes: kept) }

    var human: HumanView {
        let volumes = kept.map(\.text).joined(separator: ", ")
        return .lines(["\(lab) is down"] + (kept.isEmpty ? [] : ["volumes kept: \(volumes)"]))
    }
}

import KilnModel
import KilnSystem

/// How the first machine of a generation came to run whose server declares `launch: flash`.
public struct LaunchRecord: Sendable, Hashable, Codable {
    /// By which way it came to run.
    public enum Way: String, Sendable, Hashable, Codable {
        /// It is being cloned; a command that ended in here leaves it so.
        case cloning
        /// It was cloned, and did not boot.
        case cloned
        /// It booted.
        case booted
    }

    // First, and so decoded first: what a later version wrote need not have what follows.
    private var format = RecordFormat()
    /// The way.
    public let way: Way
    /// What names the template; nothing where there was none.
    public let template: String?
    /// Why it was not cloned.
    public let reason: String?

    init(_ way: Way, template: String? = nil, reason: String? = nil) {
        self.way = way
        self.template = template
        self.reason = reason
    }

    /// The same for people.
    public var text: String {
        switch way {
        case .cloning: "being cloned"
        case .cloned: "cloned, not booted"
        case .booted: "booted, not cloned" + (reason.map { ": \($0)" } ?? "")
        }
    }

    private enum CodingKeys: String, CodingKey {
        case format, way, template, reason
    }
}

extension ServerWorkspace {
    /// How the machine of a generation came to run; nothing where it was to boot in any case.
    func launchRecord(_ machine: MachineID) -> LaunchRecord? {
        try? DurableFile.readJSON(LaunchRecord.self, from: state.launch(machine))
    }

    func note(_ launch: LaunchRecord, of machine: MachineID) throws {
        try DurableFile.writeJSON(launch, to: state.launch(machine))
    }
}

extension LabEngine {
    /// How the machines of a server's generations came to run, where they were to be clones.
    public func launches(of id: MemberID) throws -> [Generation: LaunchRecord] {
        let workspace = try existing(id)
        let generations = try workspace.journal.history().operations.map(\.replacement.intent.to)
        return generations.reduce(into: [:]) { $0[$1] = workspace.launchRecord(id.machine($1)) }
    }
}

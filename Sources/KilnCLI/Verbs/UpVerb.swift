import ArgumentParser
import Foundation
import KilnEngine
import KilnModel
import KilnScenarios

/// `kiln up`: makes what a lab file declares and what isn't there yet.
struct UpVerb: Verb {
    static let configuration = CommandConfiguration(
        commandName: "up",
        abstract: "Bring up the servers of a lab file; what runs already is left as it is.",
        discussion: "Servers whose declaration changed are not touched: they are replaced, with 'kiln replace'."
    )

    @Argument(help: "The servers; without any, all of the lab.")
    var servers: [String] = []

    @OptionGroup var lab: LabFileOption
    @OptionGroup var global: GlobalOptions

    func execute(_ session: Session) async throws -> Int32 {
        let spec = try LabReader.lab(at: lab.path, isExplicit: lab.file != nil)
        let only = try LabReader.servers(servers, of: spec)
        let engine = try await session.workspace().engine
        for action in try await engine.plan(spec, only: only) {
            session.progress.take(.plan(action.server, action.sentence))
        }
        try session.show(ServerList(servers: try await engine.up(spec, only: only)))
        return 0
    }
}

extension PlannedAction {
    /// The action as a line of the plan.
    var sentence: String {
        let verb =
            switch kind {
            case .launch: "launch"
            case .start: "start"
            case .nothing: "up already"
            case .differs: "differs"
            }
        return detail.isEmpty ? verb : "\(verb): \(detail)"
    }
}

/// Reads lab files for verbs.
enum LabReader {
    /// The lab of the file; one that isn't there is explained.
    static func lab(at path: String, isExplicit: Bool) throws -> LabSpec {
        if !isExplicit && !FileManager.default.fileExists(atPath: path) {
            throw KilnError(
                "lab.no-file",
                "there is no \(path) here",
                hint: "name the lab file with '-f FILE', or write one with 'kiln init'",
                exit: .usage
            )
        }
        return try ScenarioFile.lab(at: path).lab
    }

    /// The servers of the lab that were named.
    static func servers(_ names: [String], of lab: LabSpec) throws -> [Name] {
        try names.map { text in
            guard let name = lab.servers.keys.first(where: { $0.text == text }) else {
                let known = lab.servers.keys.sorted().map(\.text).joined(separator: ", ")
                throw KilnError(
                    "server.unknown",
                    "the lab '\(lab.name)' has no server \(Name.quoted(text))",
                    hint: "its servers are: \(known)",
                    exit: .usage
                )
            }
            return name
        }
    }
}

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
        discussion: """
            Servers whose declaration changed are not touched: they are replaced, with 'kiln replace'. Only the number of \
            members follows at once: new ones get their volumes as the file says, and of those that are too many the volumes \
            are retained. A server with 'autoscale' keeps the number that it has, within the limits of that.
            """
    )

    @Argument(help: "The servers; without any, all of the lab.", completion: .serverNames)
    var servers: [String] = []

    @Flag(help: "Only say what would be done, and in what running servers differ from the file.")
    var dryRun = false

    @Flag(help: "Take the images that 'kiln lock' wrote down for the file.")
    var locked = false

    @OptionGroup var lab: LabFileOption
    @OptionGroup var jobs: JobsOption
    @OptionGroup var global: GlobalOptions

    func execute(_ session: Session) async throws -> Int32 {
        let file = try LabReader.lab(at: lab.path, isExplicit: lab.file != nil)
        session.say(warnings: file.warnings)
        if let external = file.externals.keys.min() {
            throw KilnError(
                .labNeedsRun,
                "\(lab.path) has the external service '\(external)', which is there only while its scenario runs",
                hint: "run it with 'kiln run \(lab.path)'; '--keep always' leaves the servers to be looked at",
                exit: .usage
            )
        }
        let declared = locked ? try file.lab.pinned(by: LabReader.lock(of: file.lab, at: lab.path)) : file.lab
        let only = try servers.map { try Name($0) }
        let engine = try await session.workspace().engine
        if dryRun {
            try session.show(LabPlanView(lab: file.lab.name, plan: try await engine.plan(declared, only: only)))
        } else {
            let servers = try await engine.up(declared, only: only, jobs: jobs.jobs)
            try session.show(ServerList(servers: servers))
        }
        return 0
    }
}

/// Reads lab files for verbs.
enum LabReader {
    /// The lab of the file; one that isn't there is explained.
    static func lab(at path: String, isExplicit: Bool) throws -> LabFile {
        if !isExplicit && !FileManager.default.fileExists(atPath: path) {
            throw KilnError(
                .labNoFile,
                "there is no \(path) here",
                hint: "name the lab file with '-f FILE', or write one with 'kiln init'",
                exit: .usage
            )
        }
        return try ScenarioFile.lab(at: path, images: KnownImages.manifest)
    }

    /// The images that a file names otherwise than by digest: those of its lab, and of its steps where it is a scenario.
    static func images(of lab: LabSpec, at path: String) -> Set<ImageReference> {
        // Whatever is wrong with the steps of a scenario was told when its lab was read; what has no steps is a lab.
        guard let scenarios = try? ScenarioFile.scenarios(at: path) else { return lab.movableImages }
        return scenarios.reduce(into: []) { $0.formUnion($1.movableImages) }
    }

    /// The lock beside the file of a lab.
    static func lock(of lab: LabSpec, at path: String) throws -> LabLock {
        try LabLock.read(beside: path, naming: images(of: lab, at: path))
    }
}

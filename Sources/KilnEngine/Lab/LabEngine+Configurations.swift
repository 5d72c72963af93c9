import KilnModel
import KilnStore

/// Configurations are few and tested, as images are: one that is changed is rehearsed, or verified, before it counts.
extension LabEngine {
    /// Refuses a changed configuration that did not pass with the image, in a lab that takes only what is attested.
    ///
    /// Where the image alone is changed, its own tests have spoken. A first machine has nothing to rehearse on.
    ///
    /// - Throws: `image.configuration-untested`.
    func requireTestedConfiguration(
        _ workspace: ServerWorkspace,
        _ spec: ServerSpec,
        on image: ImageManifest,
        serving current: Generation?
    ) throws {
        let id = workspace.id
        guard let current, try lab(id.lab).images == .attested else { return }
        let served = ServerConfiguration(of: try workspace.record(id.machine(current)).spec)
        let next = ServerConfiguration(of: spec)
        guard next != served, try parts.images.verdict(on: try next.digest, with: image.digest) != .passed else {
            return
        }
        throw KilnError(
            .imageConfigurationUntested,
            "the changed configuration of \(id) has to have passed with \(image.title), and was not rehearsed with it",
            hint: "rehearse it, and replace the server where that passes: 'kiln replace \(id) --rehearse'",
            exit: .aborted
        )
    }

    /// Notes that a configuration passed, where a committed replacement shows that.
    ///
    /// The server is what it is already: a note that can't be kept is told, and no failure.
    func noteConfiguration(_ report: ReplacementReport, _ workspace: ServerWorkspace) {
        let machine = workspace.id.machine(report.to)
        guard report.outcome == .committed, let record = try? workspace.record(machine),
            let configuration = record.configuration, let basis = basis(report, record)
        else { return }
        let pass = ConfigurationPass(configuration, on: record.image.digest, by: basis, of: workspace.id)
        do {
            try parts.images.attest(pass)
        } catch {
            let why = KilnError.wrapping(error).message
            parts.progress(.note("\(machine): that its configuration passed can't be noted: \(why)"))
        }
    }

    private func basis(_ report: ReplacementReport, _ record: GenerationRecord) -> ConfigurationPass.Basis? {
        if isRehearsal(report.server) { return .rehearsal }
        if report.from == nil { return .launch }
        return record.spec.verify.isEmpty ? nil : .verify
    }

    /// A report with what is said of the generation that serves after it.
    func judged(_ report: ReplacementReport, _ workspace: ServerWorkspace) -> ReplacementReport {
        var report = report
        let serving = report.outcome == .committed ? report.to : report.from
        guard report.outcome != .halted, let serving,
            let record = try? workspace.record(workspace.id.machine(serving))
        else { return report }
        report.image = record.image
        report.standing = Standings(parts.images).of(record.image.digest, configuredAs: record.configuration)
        return report
    }
}

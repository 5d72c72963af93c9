import KilnModel
import KilnScenarios
import KilnSystem

/// What a user gets at the first step that failed: what it is, what can be done, and a shell to do it in.
struct FailureShell: Sendable {
    let session: Session
    /// The connection that the command line named.
    let connect: String?
    /// Runs a shell with more variables until it ends.
    var open: @Sendable ([String: String]) async throws -> Void = { try await HostShell.run(variables: $0) }

    /// Tells of a step that failed, and waits for the end of a shell.
    func stop(at failed: FailedStep) async {
        session.progress.hold()
        defer { session.progress.release() }
        session.errors.lines(words(failed).map(ConsoleText.singleLine))
        do {
            try await open(variables(failed))
            if !Task.isCancelled { session.errors.lines(["the shell has ended: the run goes on to its end"]) }
        } catch { _ = session.tell(error) }
    }

    /// What the shell knows: the lab, and the hypervisor that has it.
    func variables(_ failed: FailedStep) -> [String: String] {
        let known = ["KILN_LAB": failed.lab.text]
        return connect.map { known.merging(["LIBVIRT_DEFAULT_URI": $0]) { $1 } } ?? known
    }

    private func words(_ failed: FailedStep) -> [String] {
        let server = "\(failed.lab)/\(failed.servers.first?.text ?? "SERVER")"
        return [
            "step \(failed.id) \(failed.step), line \(failed.step.place.line), failed: \(failed.reason)",
            "the lab \(failed.lab) is up (KILN_LAB); the end of this shell goes on with the end of the run",
            "  kiln exec \(server) -- COMMAND    kiln console \(server)    kiln logs \(server)",
        ]
    }
}

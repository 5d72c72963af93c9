import KilnDocuments
import KilnEngine
import KilnModel
import KilnScenarios

/// What one command works with: its streams, its options, and the way to the hypervisor.
struct Session: Sendable {
    /// How data is written.
    let format: OutputFormat
    /// What the process is connected to.
    let terminal: Terminal
    /// Data.
    let output: ByteSink
    /// Diagnostics.
    let errors: ByteSink
    /// Progress.
    let progress: ProgressReporter
    /// Opens the host and what stands on it; the sink takes progress before people see it.
    let open: @Sendable (@escaping ProgressSink) async throws -> Workspace

    /// The host and what stands on it.
    func workspace(observer: @escaping ProgressSink = { _ in }) async throws -> Workspace { try await open(observer) }

    /// Writes a result as the format says.
    func show(_ result: some Renderable) throws {
        let text = try Renderer.text(result, as: format)
        progress.clear()
        output.text(text)
    }

    /// Writes an error: for people on standard error, and for programs on standard output.
    func report(_ error: any Error) -> Int32 {
        let report = ErrorReport(error)
        progress.clear()
        errors.lines(report.lines(terminal.style))
        switch format {
        case .table: break
        case .json: if let text = try? Renderer.json(report) { output.text(text) }
        case .ndjson: if let text = try? Renderer.line(report) { output.text(text) }
        }
        return report.error.exit.rawValue
    }

    /// Writes an error that comes after the result, on standard error only: standard output has its document already.
    func tell(_ error: any Error) -> Int32 {
        let report = ErrorReport(error)
        progress.clear()
        errors.lines(report.lines(terminal.style))
        return report.error.exit.rawValue
    }

    /// Says on standard error what may be wrong with a file; the command goes on.
    func say(warnings: [Problem]) {
        progress.clear()
        errors.lines(warnings.map { ConsoleText.singleLine("warning: \($0.description)") })
    }

    /// The same session, which says nothing on standard error.
    var hushed: Session {
        let nowhere = ByteSink { _ in }
        return Session(
            format: format,
            terminal: terminal,
            output: output,
            errors: nowhere,
            progress: ProgressReporter(sink: nowhere, terminal: terminal, isQuiet: true),
            open: open
        )
    }

    /// Says something on standard error.
    func say(_ text: String) { progress.take(.note(text)) }
}

extension Session {
    /// The session of this process.
    init(_ options: GlobalOptions) {
        let terminal = Terminal.current
        let errors = ByteSink.descriptor(2)
        let progress = ProgressReporter(sink: errors, terminal: terminal, isQuiet: options.quiet)
        let connect = options.connect
        self.init(
            format: options.format,
            terminal: terminal,
            output: .descriptor(1),
            errors: errors,
            progress: progress,
            open: { observer in
                try await Workspace.open(connect: connect) {
                    observer($0)
                    progress.take($0)
                }
            }
        )
    }
}

import Foundation
import KilnModel
import KilnScenarios
import KilnSystem

/// Where the reports of runs go, beside standard output.
struct RunOutputs: Sendable {
    /// JUnit XML.
    var junit: ReportFile?
    /// The page.
    var html: ReportFile?
    /// What the process was told about who runs it.
    var environment: [String: String] = [:]

    /// Hands out the reports; each that can't be written is told, and keeps none of the others from being written.
    ///
    /// - Returns: 0, or the exit status of the first that can't be.
    func hand(_ runs: [RunHistory], _ session: Session) async -> Int32 {
        let reports = runs.map(\.report)
        var failures: [any Error] = []
        func attempt(_ body: () async throws -> Void) async {
            do { try await body() } catch { failures.append(error) }
        }
        if let junit { await attempt { try await junit.write(JUnitReport(reports).xml) } }
        if let html { await attempt { try await html.write(try ReportPage(runs).html()) } }
        if environment["GITHUB_ACTIONS"] == "true" {
            session.progress.clear()
            session.errors.text(GitHubReport(reports).annotations)
            if let path = environment["GITHUB_STEP_SUMMARY"], !path.isEmpty {
                await attempt { try await RunOutputs.append(GitHubReport(reports).summary, to: path) }
            }
        }
        let statuses = failures.map { session.tell($0) }
        return statuses.first ?? 0
    }

    // Other steps of the job have written to it.
    private static func append(_ text: String, to path: String) async throws {
        try await BlockingWork.run {
            let descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK, 0o644)
            guard descriptor >= 0 else { throw DurableFile.failure("open", path) }
            defer { close(descriptor) }
            try DurableFile.appendLazily(Data(text.utf8), to: descriptor, path: path)
        }
    }
}

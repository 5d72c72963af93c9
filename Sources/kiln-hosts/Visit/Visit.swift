import Foundation
import KilnOutside

/// One use of a root: a process that sees only it, with a layer of its own to write to, and everything that it starts.
struct Visit {
    let root: HostRoot
    let programs: Programs
    let plan: Plan

    /// Runs the plan in it; returns once no process, mount or file of it is left.
    func run() throws -> HostFindings {
        let directory = try root.place.makeVisit(to: root.suite)
        let evidence = "\(root.place.evidence)/\(root.suite)"
        try? FileManager.default.removeItem(atPath: evidence)
        try FileManager.default.createDirectory(atPath: evidence, withIntermediateDirectories: true)
        defer {
            try? FileManager.default.removeItem(atPath: directory)
            // Only where nothing was kept.
            for path in [evidence, root.place.evidence, root.place.visits] { rmdir(path) }
        }
        let start = ContinuousClock.now
        let child = try Child(line(directory, evidence), environment: Child.environment, directory: directory)
        let end = try follow(child)
        let lines = end.output.split(separator: "\n")
        let findings = lines.compactMap { try? JSONDecoder().decode(Finding.self, from: Data($0.utf8)) }
        return HostFindings(
            suite: root.suite,
            findings: findings,
            // Why, it has said already.
            ending: end.status == 0 ? nil : "the visit ended with \(end.status)",
            took: ContinuousClock.now - start
        )
    }

    /// Waits for its end, and passes on what it says.
    private func follow(_ child: Child) throws -> Child.End {
        var told = 0
        func tell() {
            let text = child.errors
            FileHandle.standardError.write(Data(text.dropFirst(told).utf8))
            told = text.count
        }
        while !child.hasEnded {
            // The first process of a process namespace ends after all others, which end with it; unshare waits for it.
            if Interruption.isCaught { Processes.children(of: child.pid).forEach { kill($0, SIGKILL) } }
            tell()
            pause(.milliseconds(100))
        }
        tell()
        return try child.finish()
    }

    private func line(_ directory: String, _ evidence: String) -> [String] {
        // Should this process be killed, the kernel ends unshare, and that the first process of the namespace.
        let host = [
            "setpriv", "--pdeathsig", "KILL", "--", "unshare", "--mount", "--propagation", "private", "--pid", "--fork",
            "--kill-child", "--", "sh", "-c", Visit.entrance, "enter",
        ]
        let places = [
            root.path, directory, evidence, programs.kiln, programs.own, programs.checkout, programs.runtime ?? "",
        ]
        return host + places + ["--suite", root.suite] + plan.arguments
    }
}

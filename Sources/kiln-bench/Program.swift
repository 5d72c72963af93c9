import Foundation
import KilnSystem
import Subprocess
import SystemPackage

/// Outside programs: argument vectors, no shell, a deadline.
///
/// Their output goes to files: a pipe would also be held open by a daemon that a program leaves behind, and waiting for
/// its end would be measured.
struct Program: Sendable {
    let path: String
    let environment: Environment
    /// The directory of the output files.
    let directory: String

    init(_ path: String, environment: Environment = .inherit, directory: String) {
        self.path = path
        self.environment = environment
        self.directory = directory
    }

    /// The first executable of that name on PATH.
    static func find(_ name: String) throws -> String {
        let folders = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
        let paths = folders.split(separator: ":").map { "\($0)/\(name)" }
        guard let found = paths.first(where: FileManager.default.isExecutableFile) else {
            throw Failure("the program \(name) is not on PATH; run 'make setup'")
        }
        return found
    }

    /// Runs the program to its end.
    ///
    /// - Returns: the time from just before its start to its end, and what it wrote to standard output.
    /// - Throws: `Failure` where its status is not 0, `DeadlineExceeded`, `CancellationError`; it is dead then.
    func run(_ arguments: [String], within deadline: Duration) async throws -> (took: Duration, output: String) {
        let name = path.split(separator: "/").last.map(String.init) ?? path
        return try await withDeadline(deadline, operation: "\(name) \(arguments.joined(separator: " "))") {
            let (output, errors) = (directory + "/output", directory + "/errors")
            let start = ContinuousClock.now
            let result = try await Subprocess.run(
                .path(FilePath(path)),
                arguments: Arguments(arguments),
                environment: environment,
                platformOptions: Program.ownGroup,
                input: .none,
                output: .fileDescriptor(try Program.file(output), closeAfterSpawningProcess: true),
                error: .fileDescriptor(try Program.file(errors), closeAfterSpawningProcess: true)
            )
            let took = ContinuousClock.now - start
            try Task.checkCancellation()
            guard result.terminationStatus.isSuccess else {
                let said = try String(contentsOfFile: errors, encoding: .utf8).suffix(2_000)
                throw Failure("\(name) \(arguments.first ?? "") ended with \(result.terminationStatus): \(said)")
            }
            return (took, try String(contentsOfFile: output, encoding: .utf8))
        }
    }

    /// A process group of its own, so that a terminal's Ctrl-C reaches the program only through this one.
    static var ownGroup: PlatformOptions {
        var options = PlatformOptions()
        options.processGroupID = 0
        options.teardownSequence = [
            .send(signal: .kill, toProcessGroup: true, allowedDurationToNextStep: .seconds(1))
        ]
        return options
    }

    static func file(_ path: String) throws -> FileDescriptor {
        try .open(path, .writeOnly, options: [.create, .truncate, .noFollow], permissions: [.ownerReadWrite])
    }
}

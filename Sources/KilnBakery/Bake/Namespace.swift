import Foundation
import KilnModel
import KilnSystem

/// Where the files of a tree have the owners that a guest will see: for root here, else in a user namespace.
enum Namespace {
    static func command(
        _ program: String,
        _ arguments: [String],
        environment: [String: String] = [:]
    ) -> Command {
        guard geteuid() != 0 else { return .bake(program, arguments, environment: environment) }
        let line = ["--map-auto", "--map-root-user", "--", program] + arguments
        return .bake("unshare", line, environment: environment)
    }

    /// Lets nobody else into a folder in which a tree lies: it has files that run as root for whoever reaches them.
    ///
    /// - Throws: `KilnError` with code `file.unwritable`.
    static func makePrivate(_ folder: String) throws {
        guard chmod(folder, 0o700) == 0 else { throw FileError.failed(.fileUnwritable, "make private", folder) }
    }

    /// Removes a scratch folder, also when the task is cancelled.
    ///
    /// What can't be removed is left to the next bake.
    static func remove(_ folder: String) async {
        // A cancelled task can't wait for a program, so a task of its own does.
        await Task { _ = try? await command("rm", ["-rf", "--one-file-system", "--", folder]).run() }.value
    }
}

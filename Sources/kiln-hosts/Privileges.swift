import Foundation
import KilnOutside

/// What another root takes of this host.
enum Privileges {
    /// Sees that this process may mount, and start process tables of its own.
    ///
    /// - Throws: `Failure` that names what is missing; nothing is skipped for want of it.
    static func insist() throws {
        guard geteuid() == 0 else {
            throw Failure("other hosts are tried by root only: their roots are mounted. Run 'make hosts' as root")
        }
        let probe = ["unshare", "--mount", "--propagation", "private", "--pid", "--fork", "--mount-proc", "true"]
        let end = try Child.tool(probe)
        guard end.status == 0 else {
            throw Failure(
                "this process may not make mount and process namespaces, which a container needs CAP_SYS_ADMIN for: \(end.errors)"
            )
        }
    }
}

extension Child {
    /// What programs see of the environment.
    static let environment = [
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8",
    ]

    /// Runs a program of this host to its end.
    static func tool(_ line: [String], within limit: Duration = .seconds(60)) throws -> End {
        try Child(line, environment: environment, directory: FileManager.default.temporaryDirectory.path)
            .finish(within: limit)
    }

    /// Runs a program of this host, which has to succeed.
    @discardableResult
    static func insist(_ line: [String], within limit: Duration = .seconds(60)) throws -> String {
        let end = try tool(line, within: limit)
        guard end.status == 0 else {
            throw Failure("\(line.prefix(2)) ended with \(end.status): \(end.errors.suffix(2000))")
        }
        return end.output
    }
}

import Foundation
import KilnOutside
import Synchronization

/// Somebody who uses kiln on a host.
final class Account: Sendable {
    /// Who there is.
    enum Kind: String, Codable, CaseIterable, Sendable {
        case root
        case person

        var user: String { rawValue }
    }

    let kind: Kind
    /// Where kiln keeps this account's state.
    let home: String
    /// A directory of the account's own, for lab files and what commands print.
    let scratch: String
    private let prefix: [String]
    private let environment: [String: String]
    private let transcript = Mutex<[String]>([])

    init(_ kind: Kind) throws {
        self.kind = kind
        scratch = "/var/tmp/\(kind.rawValue)"
        var environment = Child.environment
        switch kind {
        case .root:
            (prefix, home) = ([], "/var/lib/kiln")
            environment["HOME"] = "/root"
        case .person:
            let user = kind.user
            prefix = ["setpriv", "--reuid", user, "--regid", user, "--init-groups", "--"]
            home = "/home/\(user)/.local/state/kiln"
            environment.merge(["HOME": "/home/\(user)", "USER": user, "XDG_RUNTIME_DIR": "/run/user/1000"]) { $1 }
        }
        self.environment = environment
        for directory in [scratch, environment["XDG_RUNTIME_DIR"]].compactMap(\.self) {
            try Child.insist(["install", "-d", "-m", "0700", "-o", kind.user, "-g", kind.user, directory])
        }
    }

    /// Runs a program as this account to its end.
    func run(_ line: [String], failpoint: String? = nil, within limit: Duration = .seconds(300)) throws -> Child.End {
        var environment = environment
        environment["KILN_FAILPOINT"] = failpoint
        let end: Child.End
        do {
            // What is printed goes to files of root's, which are opened before this becomes the account's process.
            end = try Child(prefix + line, environment: environment, directory: "/tmp").finish(within: limit)
        } catch {
            note("\(line.joined(separator: " "))\n\(error)")
            throw error
        }
        let point = failpoint.map { "KILN_FAILPOINT=\($0) " } ?? ""
        note("\(point)\(line.joined(separator: " "))\n\(end.output)\(end.errors)=> \(end.status)")
        return end
    }

    /// Runs kiln to its end.
    func kiln(_ arguments: [String], failpoint: String? = nil, within limit: Duration = .seconds(300)) throws
        -> Child.End
    {
        try run([Visit.Inner.kiln] + arguments, failpoint: failpoint, within: limit)
    }

    /// Runs kiln, which has to end with a status; returns its standard output.
    @discardableResult
    func insist(_ arguments: String..., status: Int32 = 0) throws -> String { try insist(arguments, status: status) }

    /// Runs kiln, which has to end with a status; returns its standard output.
    @discardableResult
    func insist(_ arguments: [String], status: Int32 = 0, failpoint: String? = nil) throws -> String {
        let end = try kiln(arguments, failpoint: failpoint)
        guard end.status == status else {
            throw Failure(
                "'kiln \(arguments.joined(separator: " "))' ended with \(end.status), expected \(status): \(end.errors.suffix(800))"
            )
        }
        return end.output
    }

    /// What kiln says as JSON.
    func json<Value: Decodable>(_ type: Value.Type, _ arguments: String...) throws -> Value {
        let text = try insist(arguments + ["--format", "json"])
        do { return try JSONDecoder().decode(type, from: Data(text.utf8)) } catch {
            throw Failure("'kiln \(arguments.joined(separator: " "))' says no \(type): \(error)\n\(text.prefix(2000))")
        }
    }

    private func note(_ text: String) {
        let time = Date.now.formatted(.iso8601)
        transcript.withLock { $0.append("[\(time)] \(text)\n") }
    }

    // MARK: - After a check

    /// The commands of the check that has just ended are of no more interest.
    func forgetTranscript() { transcript.withLock { $0 = [] } }

    /// Keeps the commands of a check with what they said, and the small files of kiln's home: journals, records, logs.
    func keepEvidence(of check: Check, _ problem: String, in folder: String) {
        let target = "\(folder)/\(check.name.replacingOccurrences(of: " ", with: "-"))"
        try? FileManager.default.createDirectory(atPath: target, withIntermediateDirectories: true)
        let text = transcript.withLock { $0.joined(separator: "\n") } + "\n\(problem)\n"
        try? Data(text.utf8).write(to: URL(fileURLWithPath: target + "/transcript"))
        let copy = #"cd "$1" && find . -path ./images -prune -o -type f -size -512k -print | cpio --quiet -pdm "$2""#
        _ = try? Child.tool(["sh", "-c", copy, "copy", home, target + "/home"])
    }

    /// Ends the machines of a check that failed, so that they take no processor from the next one, and its labs.
    func endMachines() {
        // No machine here is another host's: this is a process namespace of its own.
        for machine in machines { kill(machine.pid, SIGKILL) }
        let labs = (try? json(Lab.List.self, "ps").servers.map(\.lab)) ?? []
        for lab in Set(labs) { _ = try? kiln(["down", lab]) }
        forgetTranscript()
    }

    /// The QEMU processes of this account.
    var machines: [Processes.Process] { Processes.below(home).filter { $0.name.hasPrefix("qemu-system") } }
}

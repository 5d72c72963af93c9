import Foundation
import KilnSystem

/// A command as OpenSSH's server gets it: one line, which the user's shell reads.
///
/// ssh's own exit status can't be told from the command's. So a shell in the guest writes the command's behind the errors,
/// with a word that nobody there could know before; where that is missing, the connection failed.
struct RemoteCommand {
    private let arguments: [String]
    private let isRoot: Bool
    private let token: String

    /// A command that root runs: the user who is logged in, or by sudo.
    init(_ arguments: [String], isRoot: Bool, token: String = UUID().uuidString) {
        self.arguments = arguments
        self.isRoot = isRoot
        self.token = token
    }

    // As the agent starts programs: at the root of the file system, and none that only a shell has.
    private static let script = #"""
        token=$1; shift
        cd / || exit 1
        if command -v -- "$1" >/dev/null 2>&1; then
            env "$@"
            status=$?
        else
            status=absent
        fi
        printf '\n%s %s\n' "$token" "$status" >&2
        """#

    /// What sh is told to run.
    var line: String {
        let words = ["/bin/sh", "-c", Self.script, "kiln", token] + arguments
        return ShellWords.line((isRoot ? [] : ["sudo", "-n", "--"]) + words)
    }

    /// How a command ended in the guest.
    enum End: Equatable {
        /// With an exit status, and its errors without what is added here.
        case ended(Int32, errors: [UInt8])
        /// The guest has no such program.
        case absent
    }

    /// How the command ended; nothing where it did not, or nobody knows.
    func end(_ errors: [UInt8]) -> End? {
        guard let place = Data(errors).range(of: Data("\n\(token) ".utf8), options: .backwards) else { return nil }
        let word = errors[place.upperBound...].prefix { $0 != UInt8(ascii: "\n") }
        let text = String(decoding: word, as: UTF8.self)
        if text == "absent" { return .absent }
        return Int32(text).map { .ended($0, errors: Array(errors[..<place.lowerBound])) }
    }
}

import Foundation
import Glibc
import KilnModel

/// A process of this host that can't be taken for another one which gets its number later.
struct ProcessIdentity: Sendable, Hashable, Codable {
    /// Its number.
    let pid: pid_t
    /// When it began, in ticks since the host did: proc_pid_stat(5).
    let start: UInt64
    /// The start of the host, or of the container, in which that is true.
    let epoch: String

    /// The process that has the number now; nothing where none has, or it has ended and was not waited for.
    init?(_ pid: pid_t) {
        guard pid > 0, let fields = ProcessIdentity.fields(of: pid), !["Z", "X"].contains(fields[0]),
            let start = UInt64(fields[19])
        else { return nil }
        self.pid = pid
        self.start = start
        epoch = DaemonReaper.currentEpoch()
    }

    /// Whether it still lives.
    var isAlive: Bool { ProcessIdentity(pid) == self }

    /// Its children; none of one that has ended, whose number may be another's by now.
    var children: [ProcessIdentity] {
        guard isAlive else { return [] }
        let entries = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return entries.compactMap { pid_t($0) }.filter { child in
            ProcessIdentity.fields(of: child).flatMap { pid_t($0[1]) } == pid
        }.compactMap { ProcessIdentity($0) }
    }

    /// Sends it a signal, if it still lives.
    func send(_ signal: Int32) { if isAlive { kill(pid, signal) } }

    // From the state on, which is the third field: a name may hold blanks and parentheses, and ends with the last one.
    private static func fields(of pid: pid_t) -> [Substring]? {
        guard let text = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8),
            let end = text.lastIndex(of: ")")
        else { return nil }
        let fields = text[text.index(after: end)...].split(whereSeparator: \.isWhitespace)
        return fields.count > 19 ? fields : nil
    }
}

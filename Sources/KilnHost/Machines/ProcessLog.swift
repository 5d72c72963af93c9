import Foundation
import KilnModel
import KilnSystem

extension HostConnection {
    /// The folder in which libvirt keeps what machines' processes say; nothing where no process runs.
    ///
    /// https://libvirt.org/drvqemu.html#location-of-configuration-files
    func processLogs(
        home: String,
        environment: [String: String] = ProcessEnvironment.variables
    ) -> String? {
        switch kind {
        case .privateDaemon: return "\(home)/daemon/cache/libvirt/qemu/log"
        case .session:
            let cache = environment["XDG_CACHE_HOME"] ?? "\(environment["HOME"] ?? "")/.cache"
            return "\(cache)/libvirt/qemu/log"
        case .system: return "/var/log/libvirt/qemu"
        case .embedded(let root): return "\(root)/log/qemu"
        case .test: return nil
        }
    }
}

extension LibvirtMachines {
    /// Where libvirt keeps what the machine's QEMU says.
    ///
    /// - Throws: `KilnError` with code `logs.none` where it runs none.
    public func processLog(of machine: MachineID) throws -> String {
        guard let logs else {
            throw KilnError(.logsNone, "libvirt's test driver runs no process for \(machine)", exit: .usage)
        }
        return "\(logs)/\(machine.domainName).log"
    }

    /// What the machine's QEMU said last since its latest start.
    public func lastWords(of machine: MachineID) -> String? {
        guard let path = try? processLog(of: machine), let log = FileTail.read(path, atMost: 64 << 10) else {
            return nil
        }
        return ProcessLog.lastWords(in: String(decoding: log, as: UTF8.self))
    }
}

/// What libvirt writes about a machine's process, and the process itself, into one file; it goes on with each start.
enum ProcessLog {
    /// The last line that QEMU itself said since its latest start, printable and short; nothing where it said nothing.
    ///
    /// Warnings don't count: they are told at the start of machines that then run for years.
    static func lastWords(in log: String) -> String? {
        var lines = log.split(whereSeparator: \.isNewline)
        if let start = lines.lastIndex(where: { $0.contains(": starting up libvirt version: ") }) {
            lines.removeFirst(start + 1)
        }
        // The command comes one argument a line, each but the last with a backslash.
        if let argument = lines.lastIndex(where: { $0.hasSuffix(" \\") }) {
            lines.removeFirst(min(argument + 2, lines.count))
        }
        let last = lines.last {
            $0.prefixMatch(of: libvirtStamp) == nil && !$0.contains(": warning: ") && !$0.allSatisfy(\.isWhitespace)
                && $0.firstMatch(of: endByLibvirt) == nil
        }
        return last.map { line in
            let said = Printable.line(String(line.trimmingPrefix(qemuStamp))).trimmingCharacters(in: .whitespaces)
            return said.count > 200 ? said.prefix(200) + "…" : said
        }
    }

    // libvirt's own lines: 2026-01-31 10:20:30.123+0000: shutting down, reason=crashed
    private static var libvirtStamp: Regex<Substring> { #/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+\+\d{4}: /# }
    // How libvirt ends QEMU once the guest has shut down: no cause of that.
    private static var endByLibvirt: Regex<Substring> {
        #/terminating on signal 15 from pid \d+ \(\S*(?:libvirtd|virtqemud)\)/#
    }
    // QEMU's, by '-msg timestamp=on': 2026-01-31T10:20:30.123456Z qemu-system-x86_64: terminating on signal 15
    private static var qemuStamp: Regex<Substring> { #/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z /# }
}

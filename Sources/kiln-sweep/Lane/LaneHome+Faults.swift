import Foundation
import Glibc
import KilnOutside

extension LaneHome {
    /// Ends the libvirt daemon at once.
    func killDaemon() throws {
        let daemons = Processes.below(path).filter { $0.name == "libvirtd" }
        guard !daemons.isEmpty else { throw Failure("no daemon runs that could be killed") }
        for daemon in daemons { kill(daemon.pid, SIGKILL) }
        try awaitThat("the daemon is dead", within: .seconds(10)) { !daemons.contains { Processes.isAlive($0.pid) } }
    }

    /// Ends the front of the server at once, and first whoever would start it again.
    func killFront() throws {
        let all = Processes.below(path)
        let (keepers, fronts) = (all.filter(\.isFrontKeeper), all.filter(\.isFront))
        guard !keepers.isEmpty, !fronts.isEmpty else { throw Failure("no front runs that could be killed") }
        for process in keepers + fronts { kill(process.pid, SIGKILL) }
        try awaitThat("the front is dead", within: .seconds(10)) {
            !(keepers + fronts).contains { Processes.isAlive($0.pid) }
        }
    }

    /// What is wrong with the images, which nothing may change.
    func imageProblems() throws -> [String] {
        let store = path + "/images/sha256"
        return try ["1", "2"].compactMap { version in
            let name = try contents(path + "/images/names/tiny/\(version)")
            let digest = String(decoding: name, as: UTF8.self)
                .trimmingCharacters(in: .whitespacesAndNewlines).replacingOccurrences(of: "sha256:", with: "")
            let sum = try tool(["sha256sum", "\(store)/\(digest)/disk.qcow2"])
            return sum.output.hasPrefix(digest + " ") ? nil : "the image tiny:\(version) has changed"
        }
    }
}

extension Processes.Process {
    /// Whether it keeps a front: kiln runs itself once more for that.
    var isFrontKeeper: Bool { arguments.contains("__front") }

    /// Whether it is a front.
    var isFront: Bool { name == "haproxy" }
}

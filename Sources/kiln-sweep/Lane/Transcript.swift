import Foundation
import KilnOutside

/// What kiln said during a cell, in order.
struct Transcript {
    private var parts: [String] = []

    /// Notes how a command ended; its status alone in the cell's result.
    mutating func note(_ command: String, _ end: Child.End, _ result: inout CellResult) {
        result.notes.append("\(command) \(end.status)")
        parts.append("\(command) ended with \(end.status)\n\(end.output)\(end.errors)")
    }

    /// Keeps what helps to understand what was found: what kiln said, and what its home says of the machines.
    ///
    /// - Parameter members: those of the server, each with a generation to be told of besides those that run.
    func keep(
        in directory: String,
        _ result: CellResult,
        _ home: LaneHome,
        _ members: [(member: LaneMember, before: Int?)]
    ) throws {
        let folder = directory + "/" + result.cell.replacingOccurrences(of: "/", with: ".")
        let manager = FileManager.default
        try? manager.removeItem(atPath: folder)
        try manager.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let lines = home.machines.map { $0.arguments.joined(separator: " ") }
        let all = parts + result.broken + result.leftovers + lines
        try Data(all.joined(separator: "\n").utf8).write(to: URL(fileURLWithPath: folder + "/transcript.txt"))
        for name in ["rollout", "front.json"] {
            try? manager.copyItem(atPath: "\(home.server)/\(name)", toPath: "\(folder)/\(name)")
        }
        for (member, before) in members { member.keepEvidence(in: folder, before) }
    }
}

extension LaneMember {
    fileprivate func keepEvidence(in folder: String, _ before: Int?) {
        let manager = FileManager.default
        let suffix = index == 0 ? "" : "-\(index)"
        try? manager.copyItem(atPath: journal, toPath: "\(folder)/journal\(suffix)")
        let running = machines.compactMap { Embodiment($0)?.generation }
        for number in Set(running + [before].compactMap { $0 }) {
            let name = domain(number)
            let console = "\(generations)/\(number)/console.log"
            try? manager.copyItem(atPath: console, toPath: "\(folder)/\(name).console")
            try? manager.copyItem(atPath: "\(home.machineLogs)/\(name).log", toPath: "\(folder)/\(name).qemu")
            guard let document = try? home.virsh(["dumpxml", name]) else { continue }
            try? Data(document.output.utf8).write(to: URL(fileURLWithPath: "\(folder)/\(name).xml"))
        }
    }
}

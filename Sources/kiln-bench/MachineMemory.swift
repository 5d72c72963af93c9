import Foundation

/// What machines take of the host's memory, in MiB.
struct MachineMemory: Sendable {
    /// What goes with them; what processes have in common, such as QEMU's code, is divided among them.
    private(set) var own = 0.0
    /// The pages of a template's memory that they read and did not change: they are there once for all clones, as a cache of the
    /// template's file that the kernel may drop.
    private(set) var ofTemplate = 0.0

    /// Takes in what the kernel tells of a process's mappings: for each a line with its range and file, then lines such as
    /// `Pss:  12 kB`.
    ///
    /// - Parameter templates: the folder with all templates.
    mutating func add(_ process: Int32, templates: String) throws {
        let file = try FileHandle(forReadingFrom: URL(fileURLWithPath: "/proc/\(process)/smaps"))
        // It has no size of which it could be read at once.
        var smaps = Data()
        while let more = try file.read(upToCount: 1 << 16), !more.isEmpty { smaps += more }
        var isTemplate = false
        for line in String(decoding: smaps, as: UTF8.self).split(separator: "\n") {
            let words = line.split(separator: " ", omittingEmptySubsequences: true)
            guard words.count > 1, let kind = words.first, kind.hasSuffix(":") else {
                isTemplate = line.contains(" \(templates)/")
                continue
            }
            guard let size = Double(words[1]).map({ $0 / 1024 }) else { continue }
            switch kind {
            case "Pss:" where isTemplate: ofTemplate += size
            case "Pss:": own += size
            // What it changed is in memory of its own, which is nobody else's.
            case "Anonymous:" where isTemplate:
                ofTemplate -= size
                own += size
            default: break
            }
        }
    }
}

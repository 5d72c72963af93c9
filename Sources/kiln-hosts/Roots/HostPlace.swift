import Foundation
import KilnOutside

/// The directory of everything that this program leaves on the disk.
struct HostPlace: Sendable {
    let path: String

    /// The cached roots.
    var roots: String { path + "/roots" }
    /// The layers of the visits that run; gone with them.
    var visits: String { path + "/visits" }
    /// What checks that failed leave to be looked at.
    var evidence: String { path + "/evidence" }

    /// Makes a directory for a visit to a suite, which names the process that it belongs to.
    func makeVisit(to suite: String) throws -> String {
        let visit = "\(visits)/\(suite)-\(getpid())"
        try FileManager.default.createDirectory(atPath: visit, withIntermediateDirectories: true)
        return visit
    }

    /// Removes the directories of visits whose process was killed; the kernel has ended what ran in them.
    func removeAbandoned() {
        for name in (try? FileManager.default.contentsOfDirectory(atPath: visits)) ?? [] {
            guard let pid = name.split(separator: "-").last.flatMap({ Int32($0) }) else { continue }
            if !Processes.isAlive(pid) { try? FileManager.default.removeItem(atPath: "\(visits)/\(name)") }
        }
    }
}

import ArgumentParser
import Foundation
import KilnOutside

/// What is carried into a root: the program that is tried, this one, and what they need.
struct Programs: Sendable {
    let kiln: String
    let own: String
    /// The checkout, for its images and scenarios.
    let checkout: String
    /// Where Swift's runtime libraries lie that this program was linked with; nothing where they are inside it.
    ///
    /// Such programs name the place, so it has to be the same in a root.
    let runtime: String?

    init(kiln named: String?) throws {
        own = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().path
        let beside = URL(fileURLWithPath: own).deletingLastPathComponent().path
        kiln = URL(fileURLWithPath: named ?? beside + "/kiln").resolvingSymlinksInPath().path
        checkout = FileManager.default.currentDirectoryPath
        runtime = Programs.folder(
            of: "libswiftCore.so",
            maps: try String(contentsOfFile: "/proc/self/maps", encoding: .utf8)
        )
        guard FileManager.default.isExecutableFile(atPath: kiln) else {
            throw ValidationError("there is no program \(kiln); build it, or name it with --kiln")
        }
        for folder in ["Images/tiny", "Scenarios"] where access("\(checkout)/\(folder)", R_OK) != 0 {
            throw ValidationError("there is no \(folder) in \(checkout); run this in a checkout of kiln")
        }
    }

    /// The folder from which a process has mapped a library, by its `/proc/PID/maps`.
    static func folder(of library: String, maps: String) -> String? {
        // proc(5): the path is what follows the fifth field.
        let path = maps.split(separator: "\n").first { $0.hasSuffix("/" + library) }
            .flatMap { line in line.firstIndex(of: "/").map { String(line[$0...]) } }
        return path.map { URL(fileURLWithPath: $0).deletingLastPathComponent().path }
    }
}

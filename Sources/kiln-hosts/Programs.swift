import ArgumentParser
import Foundation
import KilnOutside

/// What is carried into a root: the program that is tried, this one, and what they need.
struct Programs: Sendable {
    /// The program that is tried, or the package.
    let kiln: String
    let own: String
    /// The checkout, for its images and scenarios.
    let checkout: String
    /// Where Swift's runtime libraries lie that this program was linked with; nothing where they are inside it.
    ///
    /// Such programs name the place, so it has to be the same in a root.
    let runtime: String?

    init(kiln named: String?, package: String?) throws {
        own = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().path
        let beside = URL(fileURLWithPath: own).deletingLastPathComponent().path
        kiln = URL(fileURLWithPath: package ?? named ?? beside + "/kiln").resolvingSymlinksInPath().path
        checkout = FileManager.default.currentDirectoryPath
        runtime = Programs.folder(of: "libswiftCore.so", among: Programs.mapped)
        guard access(kiln, package == nil ? X_OK : R_OK) == 0 else {
            throw ValidationError("there is no \(kiln); build it, or name it with --kiln or --package")
        }
        for folder in ["Images/tiny", "Scenarios", ".github/actions"] where access("\(checkout)/\(folder)", R_OK) != 0 {
            throw ValidationError("there is no \(folder) in \(checkout); run this in a checkout of kiln")
        }
    }

    /// The files that this process has mapped.
    ///
    /// Not from `/proc/self/maps`, of which Foundation reads only the first page.
    private static var mapped: [String] {
        let folder = "/proc/self/map_files"
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return names.compactMap { try? FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/\($0)") }
    }

    /// The folder of a library, where it is among these files.
    static func folder(of library: String, among files: [String]) -> String? {
        files.first { $0.hasSuffix("/" + library) }.map { URL(fileURLWithPath: $0).deletingLastPathComponent().path }
    }
}

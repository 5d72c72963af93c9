import Foundation
import KilnEngine
import KilnHost
import KilnModel

/// The names in the state directory, for completion in a shell: read without a hypervisor, so that it is instant.
struct KnownNames {
    let state: StateDirectory

    /// The names of this process's state directory.
    static var current: KnownNames {
        KnownNames(state: StateDirectory(root: (try? KilnHome.location()) ?? "", sockets: ""))
    }

    /// Every form that names exactly one server: `LAB/NAME`, and `NAME` where one lab has it.
    func servers(startingWith prefix: String) -> [String] {
        let all = labNames.flatMap { lab in
            names(in: state.lab(lab) + "/servers").map { ServerID(lab: lab, server: $0) }
        }
        let counts = Dictionary(all.map { ($0.server.text, 1) }, uniquingKeysWith: +)
        let short = counts.filter { $0.value == 1 }.map(\.key)
        return (short + all.map(\.description)).filter { $0.hasPrefix(prefix) }.sorted()
    }

    /// The labs.
    func labs(startingWith prefix: String) -> [String] { labNames.map(\.text).filter { $0.hasPrefix(prefix) } }

    /// The volumes, as `LAB/NAME`.
    var volumes: [String] {
        names(in: state.volumes).flatMap { lab in names(in: "\(state.volumes)/\(lab)").map { "\(lab)/\($0)" } }
    }

    /// The recipes that can be found by name.
    static func recipes(startingWith prefix: String) -> [String] {
        SearchPath(.recipes).names.map(\.text).filter { $0.hasPrefix(prefix) }
    }

    /// The scenarios that can be found by name.
    static func scenarios(startingWith prefix: String) -> [String] {
        SearchPath(.scenarios).names.map(\.text).filter { $0.hasPrefix(prefix) }
    }

    private var labNames: [Name] { names(in: state.labs) }

    private func names(in directory: String) -> [Name] {
        let entries = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        return entries.compactMap { try? Name($0) }.sorted()
    }
}

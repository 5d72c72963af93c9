import Foundation
import KilnOutside

extension Check {
    /// What all checks before have left, which is nothing.
    static let leftovers = Check(
        name: "leftovers",
        about: "no machine, lab, socket or scratch file is left, and gc finds nothing",
        accounts: [.root, .person],
        quick: [.root, .person]
    ) { account in
        let machines = account.machines
        guard machines.isEmpty else { throw Failure("machines are left: \(machines.map(\.pid))") }
        let servers = try account.json(Lab.List.self, "ps").servers
        guard servers.isEmpty else { throw Failure("labs are left: \(servers.map(\.lab))") }
        for folder in ["sockets", "roots", "scratch"] {
            let files = (try? FileManager.default.contentsOfDirectory(atPath: "\(account.home)/\(folder)")) ?? []
            guard files.isEmpty else { throw Failure("\(account.home)/\(folder) should be empty, found \(files)") }
        }
        struct Collection: Decodable { let removed: [String] }
        let garbage = try account.json(Collection.self, "gc", "--dry-run").removed
        guard garbage.isEmpty else { throw Failure("gc would remove \(garbage)") }
    }
}

import KilnEngine
import KilnModel
import KilnStore

/// What a server is made from, and what is its own.
struct ServerView: Renderable {
    let details: ServerDetails

    var payload: ServerDetails { details }

    private var status: ServerStatus { details.status }
    private var configuration: ServerDetails.Configuration { details.configuration }

    var human: HumanView {
        .lines((head + settings + volumes + siblings).map(ConsoleText.singleLine) + generations)
    }

    private var head: [String] {
        let image = status.image.map { "\($0.name):\($0.version) (\($0.digest.short))" } ?? "-"
        // What did not pass is in the condition.
        let attested = status.standing?.remarks.isEmpty == true ? ", attested" : ""
        return [
            "\(status.lab)/\(status.name)  \(status.condition)",
            "  image: \(image)\(attested)",
            "  declared: \(details.reference)",
        ] + (status.standing?.revoked.map { ["  revoked: \($0)"] } ?? [])
    }

    private var settings: [String] {
        func size(_ field: String, _ value: String?) -> String? {
            value.map { "  \(field): \($0)" + (configuration.fromImage.contains(field) ? ", of the image" : "") }
        }
        func names(_ field: String, _ names: [String]) -> String? {
            names.isEmpty ? nil : "  \(field): \(names.joined(separator: ", "))"
        }
        return [
            "  configuration: \(configuration.digest.short)\(verdict)",
            size("memory", configuration.memory.description), size("processors", "\(configuration.processors)"),
            size("cpu", configuration.cpu?.text), configuration.disk.map { "  disk: \($0)" },
            "  network: \(configuration.network.rawValue)", names("networks", configuration.networks.map(\.text)),
            "  root: \(configuration.root.rawValue)", names("user-data", configuration.userDataKeys),
            names("files", configuration.files),
        ].compactMap(\.self)
    }

    private var verdict: String {
        switch status.standing?.configuration {
        case .passed: ", passed with this image"
        case .elsewhere: ", passed with another image"
        case .untested: ", untested: 'kiln replace \(status.lab)/\(status.name) --rehearse' tries it"
        case nil: ""
        }
    }

    private var volumes: [String] {
        let mounts = status.volumes.sorted { $0.key < $1.key }.map { "  volume \($0.key): at \($0.value)" }
        return mounts + (status.portList == "-" ? [] : ["  ports: \(status.portList)"])
    }

    private var siblings: [String] {
        details.siblings.map { sibling in
            let what = sibling.differs.isEmpty ? "is declared the same" : "differs in \(list(sibling.differs))"
            return "  of the same image: \(sibling.server) \(what)"
        }
    }

    private var generations: [String] {
        let rows = details.generations.map { past in
            [
                past.generation.description, past.image, past.outcome?.rawValue ?? "open",
                past.configuration?.short ?? "-", past.differs.map { $0.isEmpty ? "nothing" : list($0) } ?? "-",
            ]
        }
        let table = TextTable(header: ["gen", "image", "outcome", "configuration", "differs in"], rows: rows)
        return [""] + table.lines
    }

    private func list(_ names: [String]) -> String { names.joined(separator: ", ") }
}

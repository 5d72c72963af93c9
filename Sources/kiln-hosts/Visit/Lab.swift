import Foundation
import KilnOutside

/// A lab of a check's own: one server `web` with a volume `data`, mounted at /data, and a published port.
struct Lab {
    /// What `kiln ps --format json` says of servers.
    struct List: Decodable {
        struct Server: Decodable {
            struct Port: Decodable { let host: UInt16 }
            struct Operation: Decodable { let number: Int }
            let lab: String
            let generation: Int?
            let state: String
            let halted: Bool
            let ports: [String: Port]
            let operation: Operation?
        }
        let servers: [Server]
    }

    let account: Account
    let name: String
    /// What comes before kiln's verb.
    let options: [String]

    var web: String { name + "/web" }
    var data: String { name + "/data" }

    /// Brings a lab up, gives it to `body`, takes it down, and removes its volumes.
    static func with(
        _ name: String,
        _ account: Account,
        fields: String = "",
        options: [String] = [],
        _ body: (Lab) throws -> Void
    ) throws {
        let lab = Lab(account: account, name: name, options: options)
        let text = """
            kiln: 1
            name: \(name)
            lab:
              volumes:
                data: { size: 64MiB, filesystem: ext4 }
              servers:
                web:
                  image: tiny:1
                  volumes: { data: /data }
                  ports: { http: 80 }
                  ready: [cloud-init, { http: { port: http, path: /health } }]
            \(fields.isEmpty ? "" : "      \(fields)\n")
            """
        let file = "\(account.scratch)/\(name).yaml"
        try Data(text.utf8).write(to: URL(fileURLWithPath: file))
        chmod(file, 0o644)
        try lab.kiln("up", "-f", file)
        try body(lab)
        try lab.kiln("down", name)
        guard lab.machines.isEmpty else { throw Failure("after 'kiln down \(name)' a machine of it runs") }
        try account.removeVolumes()
    }

    /// Runs kiln, which has to end with a status; returns its standard output.
    @discardableResult
    func kiln(_ arguments: String..., status: Int32 = 0) throws -> String {
        try account.insist(with(arguments), status: status)
    }

    /// Runs kiln, which dies at a failpoint.
    func kill(at failpoint: String, _ arguments: String...) throws {
        try account.insist(with(arguments), status: 128 + SIGKILL, failpoint: failpoint + "=kill")
    }

    /// Runs a shell command in the guest, which has to succeed; returns what it prints, without the last line break.
    @discardableResult
    func shell(_ script: String) throws -> String {
        try kiln("exec", web, "--", "sh", "-c", script).trimmingCharacters(in: .newlines)
    }

    /// Whether a shell command in the guest succeeds, where there is one.
    func attempt(_ script: String) -> Bool {
        let line = with(["exec", "--timeout", "10s", web, "--", "sh", "-c", script])
        return (try? account.kiln(line, within: .seconds(60)).status) == 0
    }

    private func with(_ arguments: [String]) -> [String] {
        let own = arguments.prefix { $0 != "--" }
        return own + options + arguments.dropFirst(own.count)
    }

    /// The machines of this lab.
    var machines: [Processes.Process] {
        account.machines.filter { $0.arguments.contains { $0.hasPrefix("guest=kiln.\(name).") } }
    }

    /// That exactly one machine runs, that it is the one `ps` names, and that it answers on the published port.
    func insistOnOneServing() throws {
        let list = try kiln("ps", "--format", "json")
        let servers = try JSONDecoder().decode(List.self, from: Data(list.utf8)).servers
        guard let server = servers.first(where: { $0.lab == name }), let generation = server.generation,
            server.state == "running", !server.halted, server.operation == nil
        else { throw Failure("'kiln ps' shows no server of \(name) that serves: \(list)") }
        guard machines.count == 1 else { throw Failure("\(machines.count) machines of \(name) run, expected 1") }
        let answer = server.ports["http"].flatMap { Self.answer(of: $0.host) } ?? "nothing"
        guard
            answer.contains(#""instance-id":"web-\#(generation)""#)
                || answer.contains(#""instance-id":"web-\#(generation)-"#)
        else { throw Failure("generation \(generation) of \(name) should answer, found: \(answer)") }
    }
    // A published port lets one connection wait, so one may be lost to those that kiln's own measuring has just made.
    private static func answer(of port: UInt16) -> String? {
        for _ in 0..<3 {
            if let answer = LocalSocket.get(port: port, "/generation") { return answer }
        }
        return nil
    }
}

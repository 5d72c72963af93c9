import Foundation
import Glibc
import KilnSystem

/// The HAProxy before a script's members, with the configuration that a careful person would write.
struct ScriptProxy: Sendable {
    /// A directory of its own, which does not exist yet.
    let directory: String
    let port: UInt16
    /// The ports of the members.
    let members: [UInt16]

    private var socket: String { directory + "/runtime" }
    private var processFile: String { directory + "/process" }

    private static let patience = Duration.seconds(10)

    private var configuration: String {
        let servers = members.enumerated().map { "    server m\($0) 127.0.0.1:\($1) check" }
        return """
            global
                stats socket \(socket) mode 600 level admin
            defaults
                mode http
                timeout connect 2s
                timeout client 30s
                timeout server 30s
                retries 3
                option redispatch
            frontend web
                bind 127.0.0.1:\(port)
                default_backend be
            backend be
                balance leastconn
                option httpchk GET /health
                default-server inter 1s fall 2 rise 2
            \(servers.joined(separator: "\n"))

            """
    }

    /// Starts it; it goes on by itself.
    func start() async throws {
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        let file = directory + "/haproxy.cfg"
        try Data(configuration.utf8).write(to: URL(fileURLWithPath: file))
        _ = try await Program(try Program.find("haproxy"), directory: directory)
            .run(["-D", "-f", file, "-p", processFile], within: ScriptProxy.patience)
    }

    /// Ends it, if it runs, and removes its directory.
    func end() {
        let text = try? String(contentsOfFile: processFile, encoding: .utf8)
        if let process = text.flatMap({ Int32($0.trimmingCharacters(in: .whitespacesAndNewlines)) }), process > 1 {
            kill(process, SIGTERM)
        }
        try? FileManager.default.removeItem(atPath: directory)
    }

    /// Gives a member another state: `drain` sends it nothing new, `ready` lets the checks decide.
    func set(_ member: Int, _ state: String) throws {
        let said = try ask("set server be/m\(member) state \(state)")
        guard said.allSatisfy(\.isWhitespace) else { throw Failure("the script's HAProxy says: \(said)") }
    }

    /// What the checks say of a member.
    enum Health {
        case up
        case down
    }

    /// Waits until the checks say so.
    ///
    /// - Parameter check: is asked while it waits, and may throw why that will not come.
    func wait(until health: Health, _ member: Int, within patience: Duration, check: () throws -> Void) async throws {
        let deadline = ContinuousClock.now + patience
        while try self.health(of: member) != health {
            guard ContinuousClock.now < deadline else {
                throw Failure("the script's member \(member) is not \(health) within \(patience)")
            }
            try check()
            // Its socket answers questions, and tells nothing by itself.
            try await Task.sleep(for: .milliseconds(100))
        }
    }

    // At its start it takes members for up that it has not asked yet, so the latest check has to have passed, too.
    private func health(of member: Int) throws -> Health? {
        let lines = try ask("show servers state be").split(separator: "\n").map { $0.split(separator: " ") }
        guard let names = lines.first(where: { $0.first == "#" })?.dropFirst().map(String.init),
            let name = names.firstIndex(of: "srv_name"), let state = names.firstIndex(of: "srv_op_state"),
            let check = names.firstIndex(of: "srv_check_result"),
            let row = lines.first(where: { $0.count == names.count && $0[name] == "m\(member)" })
        else { throw Failure("the script's HAProxy does not tell of m\(member)") }
        switch (row[state], row[check]) {
        case ("0", _): return .down
        case ("2", "3"): return .up
        default: return nil
        }
    }

    // It answers within a millisecond or so.
    private func ask(_ command: String) throws -> String {
        let descriptor = try UnixSocket.connect(to: socket, within: 10)
        defer { close(descriptor) }
        let bytes = Array((command + "\n").utf8)
        guard send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count else {
            throw Failure("the script's HAProxy takes no command")
        }
        var (answer, chunk): ([UInt8], [UInt8]) = ([], Array(repeating: 0, count: 65_536))
        while Descriptor.isReady(descriptor, for: .reading, within: 10_000) {
            let count = read(descriptor, &chunk, chunk.count)
            guard count > 0 else { return String(decoding: answer, as: UTF8.self) }
            answer += chunk.prefix(count)
        }
        throw Failure("the script's HAProxy does not answer '\(command)'")
    }
}

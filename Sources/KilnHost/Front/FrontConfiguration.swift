import Foundation
import KilnEngine
import KilnModel
import KilnSystem

/// What HAProxy is told when it starts: everything that the plan says, so that one that was killed comes back as it was.
///
/// Each member has a slot for ever. At run time only its port and its state change, which waiting requests survive; a server that
/// is added or deleted at run time would be forgotten at the next start.
struct FrontConfiguration: Sendable {
    let plan: FrontPlan
    let place: FrontPlace

    /// The file's text.
    var text: String { ([global(ground), defaults] + plan.ports.map { section($0) }).joined(separator: "\n") }

    /// What two configurations have in common that differ only in what can be changed at run time; HAProxy tells it.
    var ground: String {
        let members = plan.slots.map { "\($0.ordinal)" }.joined(separator: " ")
        let fixed =
            plan.ports.map { section($0, withSlots: false) }
            + plan.ports.map { "\(plan.spec.connections(to: $0)) \(members)" }
        let text = ([global(""), defaults] + fixed).joined(separator: "\n")
        return "kiln-" + String(StableHash.fnv1a(text), radix: 16)
    }

    // Its limits are within the 4,096 files that a process may have at least, two for each connection. Without 'noreuseport' two
    // fronts could have one port, and each would get a part of its clients.
    private func global(_ ground: String) -> String {
        """
        global
            description \(ground)
            log \(FrontConfiguration.quoted("unix@" + place.log)) format raw local0
            stats socket \(FrontConfiguration.quoted("unix@" + place.socket)) mode 600 level admin expose-fd listeners
            lua-load \(FrontConfiguration.quoted(place.script))
            nbthread 1
            maxconn 1500
            noreuseport
            hard-stop-after \(max(1, Int(plan.spec.drainTimeout / .milliseconds(1))))ms

        """
    }

    // A connection that a machine left open would be cut by its end, so each has one request. No checks: kiln alone says who serves.
    private var defaults: String {
        """
        defaults
            log global
            timeout connect 2s
            timeout http-request 30s
            timeout client 1h
            timeout server 1h
            timeout tunnel 24h
            retries 3
            option redispatch 1
            option abortonclose
            option http-server-close
            http-reuse never

        """
    }

    private func section(_ port: FrontPlan.Port, withSlots: Bool = true) -> String {
        let hold = Int(plan.spec.hold / .milliseconds(1))
        let gate =
            port.isHTTP
            ? ["mode http", "http-request lua.hold \(port.name) \(hold)"]
            : [
                "mode tcp", "tcp-request inspect-delay \(hold + 1_000)ms",
                "tcp-request content lua.hold \(port.name) \(hold)",
            ]
        let log = "log-format \"\(port.isHTTP ? FrontLine.http : FrontLine.tcp)\""
        let front = ["bind 127.0.0.1:\(port.host)", log] + gate + ["default_backend \(port.name)"]
        let back = ["mode \(port.isHTTP ? "http" : "tcp")", "balance leastconn", "timeout queue \(hold)ms"]
        let slots = plan.slots.map { slot in
            "server \(FrontConfiguration.slot(slot)) \(address(slot, port)) maxconn "
                + "\(plan.spec.connections(to: port))\(state(slot, port))"
        }
        return section("frontend", port.name, front) + section("backend", port.name, back + (withSlots ? slots : []))
    }

    private func section(_ kind: String, _ name: Name, _ lines: [String]) -> String {
        (["\(kind) \(name)"] + lines.map { "    " + $0 }).joined(separator: "\n") + "\n\n"
    }

    // Port 1 answers nobody, and nobody is sent there while the slot is out.
    private func address(_ slot: FrontPlan.Slot, _ port: FrontPlan.Port) -> String {
        "127.0.0.1:\(slot.ports[port.name] ?? 1)"
    }

    private func state(_ slot: FrontPlan.Slot, _ port: FrontPlan.Port) -> String {
        slot.standing == .serving && slot.ports[port.name] != nil ? "" : " disabled"
    }

    /// What a member's slot is called.
    static func slot(_ slot: FrontPlan.Slot) -> String { "m\(slot.ordinal)" }

    // As in a shell: within quotes of this kind nothing has a meaning.
    private static func quoted(_ text: String) -> String { "'" + text.replacing("'", with: "'\\''") + "'" }
}

/// Where the files of a front are.
struct FrontPlace: Sendable, Hashable {
    /// How all begin, short enough for sockets.
    let base: String

    /// HAProxy's runtime socket.
    var socket: String { base + FrontPlace.suffix }
    /// What HAProxy is told at its start; where there is none, the front is not wanted any more.
    var configuration: String { base + FrontPlace.suffix + ".cfg" }
    /// What it does with requests that wait.
    var script: String { base + FrontPlace.suffix + ".lua" }
    /// Where it tells of each answer, where somebody listens.
    var log: String { base + FrontPlace.suffix + ".log" }
    /// How its latest start went.
    var attempt: String { base + FrontPlace.suffix + ".start" }

    static let suffix = ".front"

    /// All of them that there are, also halves of a process that was killed.
    var present: [String] {
        let directory = DurableFile.directory(of: base)
        let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        return names.map { "\(directory)/\($0)" }.filter { $0.hasPrefix(base + FrontPlace.suffix) }.sorted()
    }
}

/// How a start of HAProxy went.
struct FrontAttempt: Sendable, Hashable, Codable {
    /// HAProxy's exit status; it has gone on in another process where that is 0.
    let status: Int32
    /// What it said.
    let said: String
}

import KilnDocuments
import KilnEngine
import KilnModel
import KilnSystem

/// `kill-service`: SIGKILL to every process of a name in a guest.
struct KillService: FaultAction {
    static let kind = FaultKind(
        word: "kill-service",
        about: "Kills the processes of a name in a guest; whether they come back is the guest's affair.",
        fields: { Schema.object(KillServiceFields.self, $0) },
        decode: { KillService($0, $1) }
    )

    private let server: Name
    private let process: String

    init?(_ value: Value, _ reader: FaultReader) {
        guard let fields = Fields<KillServiceFields>(value, "a map with 'server' and 'process'") else { return nil }
        let server = reader.server(fields[.server])?.name
        let process = fields[.process]?.text(KillServiceFields.name)
        guard let server, let process else { return nil }
        self.server = server
        self.process = process
    }

    var summary: String { "kill-service \(process) on \(server)" }
    var servers: [Name] { [server] }
    var isMomentary: Bool { true }

    // The kernel's name of each process is compared whole. A number is counted once it is nobody's, or another process's.
    private static let script = #"""
        killed=0
        for folder in /proc/[0-9]*; do
          [ "$(cat "$folder/comm" 2>/dev/null)" = "$1" ] || continue
          start=$(cut -d')' -f2 "$folder/stat" 2>/dev/null | cut -d' ' -f21)
          kill -9 "${folder#/proc/}" 2>/dev/null || continue
          for look in 1 2 3 4 5 6 7 8 9 10; do
            case "$(cut -d')' -f2 "$folder/stat" 2>/dev/null)" in
              ''|' Z'*) killed=$((killed + 1)); break ;;
            esac
            now=$(cut -d')' -f2 "$folder/stat" 2>/dev/null | cut -d' ' -f21)
            [ "$now" = "$start" ] || { killed=$((killed + 1)); break; }
            sleep 1
          done
        done
        echo "$killed"
        """#

    func strike(_ ground: FaultGround) async throws -> StruckFault {
        let command = GuestCommand(["/bin/sh", "-c", KillService.script, "kill", process])
        let result = try await ground.engine.run(command, on: ground.id(server))
        let count = GuestAnswer.number(result) ?? 0
        return StruckFault(proof: { count > 0 ? "\(count) processes are gone" : nil })
    }
}

/// The fields of `kill-service`.
enum KillServiceFields: String, FileField {
    case server, process

    static let required: [KillServiceFields] = [.server, .process]

    /// The kernel keeps 15 bytes of it.
    static let name = TextForm(
        "the name of a process, at most 15 letters, digits and ._-",
        pattern: "^[A-Za-z0-9._-]{1,15}$"
    ) {
        $0.wholeMatch(of: /[A-Za-z0-9._-]{1,15}/) != nil
    }

    var schema: JSONValue {
        switch self {
        case .server: Schema.name("The server.")
        case .process: Schema.text(KillServiceFields.name, "The name of its processes, as in /proc/PID/comm.")
        }
    }
}

/// What commands of faults say in guests, which is not to be trusted.
enum GuestAnswer {
    /// The whole number that a command said; nothing where it failed or said anything else.
    static func number(_ result: GuestCommandResult) -> Int? {
        guard result.status == 0, result.output.count <= 32 else { return nil }
        return Int(String(decoding: result.output, as: UTF8.self).trimmed)
    }

    /// An error that tells how a command failed.
    static func failure(_ what: String, _ result: GuestCommandResult) -> KilnError {
        FaultGround.impossible(
            "\(what) ended with \(result.status)",
            cause: Printable.line(Printable.text(result.errors.prefix(300)))
        )
    }
}

extension String {
    /// Without blanks around it.
    fileprivate var trimmed: Substring {
        let blanks: (Character) -> Bool = { $0.isWhitespace }
        guard let first = firstIndex(where: { !blanks($0) }), let last = lastIndex(where: { !blanks($0) }) else {
            return ""
        }
        return self[first...last]
    }
}

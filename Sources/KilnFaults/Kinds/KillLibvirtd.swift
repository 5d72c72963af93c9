import KilnDocuments
import KilnEngine
import KilnModel

/// `kill-libvirtd`: SIGKILL to the daemon of a home of the run's own; machines run on, and the next command starts another.
struct KillLibvirtd: FaultAction {
    static let kind = FaultKind(
        word: "kill-libvirtd",
        about: "Kills the libvirt daemon, in a home of the run's own; its machines run on.",
        fields: { Schema.object(NoFields.self, $0) },
        decode: { value, _ in Fields<NoFields>(value, "an empty map").map { _ in KillLibvirtd() } }
    )

    var summary: String { "kill-libvirtd" }
    var servers: [Name] { [] }
    var isMomentary: Bool { true }
    var needsOwnHome: Bool { true }

    func strike(_ ground: FaultGround) async throws -> StruckFault {
        guard let pid = try await ground.ownHome().daemon() else {
            throw FaultGround.impossible("no libvirt daemon runs now")
        }
        guard try await PowerCut.end(pid, ground.host) else { return StruckFault(proof: { nil }) }
        return StruckFault(proof: { "libvirtd, process \(pid), is gone" })
    }
}

/// A fault that has nothing to be told.
enum NoFields: String, FileField {
    case none

    static let allCases: [NoFields] = []
    static let required: [NoFields] = []

    var schema: JSONValue { .null }
}

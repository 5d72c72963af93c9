import Foundation
import KilnDocuments
import KilnEngine
import KilnModel

/// `clock-skew`: the guest's clock is set to another time.
struct ClockSkew: FaultAction {
    static let kind = FaultKind(
        word: "clock-skew",
        about: "Sets the clock of a guest ahead, or back.",
        fields: { Schema.object(ClockSkewFields.self, $0) },
        decode: { ClockSkew($0, $1) }
    )

    private let server: Name
    /// In seconds; ahead where more than 0.
    private let shift: Int

    init?(_ value: Value, _ reader: FaultReader) {
        guard let fields = Fields<ClockSkewFields>(value, "a map with 'server', and 'ahead' or 'behind'") else {
            return nil
        }
        let server = reader.server(fields[.server])?.name
        let written = [fields[.ahead], fields[.behind]].compactMap(\.self)
        guard let only = written.first, written.count == 1 else {
            value.problem("expected 'ahead' or 'behind', found \(written.isEmpty ? "neither" : "both")")
            return nil
        }
        guard let amount = only.duration(), let server else { return nil }
        guard amount >= .seconds(60) else {
            // Less could not be told from the time that a slow guest takes to answer.
            only.problem("expected at least 60s, found \(amount / .seconds(1)) s")
            return nil
        }
        self.server = server
        shift = Int(amount / .seconds(1)) * (fields[.ahead] == nil ? -1 : 1)
    }

    var summary: String { "clock-skew \(server) by \(shift) s" }
    var servers: [Name] { [server] }

    func strike(_ ground: FaultGround) async throws -> StruckFault {
        let clock = GuestClock(engine: ground.engine, server: ground.id(server))
        let before = try await clock.difference()
        try await clock.set(by: shift)
        let (after, wanted) = (try await clock.difference(), shift)
        return StruckFault(
            proof: {
                let found = after - before
                return abs(found - wanted) < GuestClock.slack ? "its clock went by \(found) s" : nil
            },
            undo: {
                // A time server, or a new machine, may have put it right.
                let found = try await clock.difference() - before
                if abs(found) > abs(wanted) / 2 { try await clock.set(by: -found) }
            }
        )
    }
}

/// The clock of a guest, compared with the host's.
private struct GuestClock: Sendable {
    let engine: LabEngine
    let server: MemberID

    /// How far a slow guest's answer may be off, in seconds.
    static let slack = 30

    /// How far it is ahead of the host's, in seconds.
    func difference() async throws -> Int {
        let result = try await engine.run(GuestCommand(["date", "+%s"]), on: server)
        // Hostile text: a time before 1970 or beyond the year 36,000 is none to calculate with.
        guard let seconds = GuestAnswer.number(result), (0...1 << 40).contains(seconds) else {
            throw GuestAnswer.failure("'date' of \(server)", result)
        }
        return seconds - Int(Date().timeIntervalSince1970)
    }

    func set(by seconds: Int) async throws {
        let script = #"date -s "@$(($(date +%s) + $1))" >/dev/null"#
        let result = try await engine.run(GuestCommand(["/bin/sh", "-c", script, "date", "\(seconds)"]), on: server)
        guard result.status == 0 else { throw GuestAnswer.failure("the setting of the clock of \(server)", result) }
    }
}

/// The fields of `clock-skew`.
enum ClockSkewFields: String, FileField {
    case server, ahead, behind

    static let required: [ClockSkewFields] = [.server]

    var schema: JSONValue {
        switch self {
        case .server: Schema.name("The server.")
        case .ahead: Schema.duration("How far it goes ahead, at least 60s.")
        case .behind: Schema.duration("How far it goes back, at least 60s.")
        }
    }
}

import Foundation
import KilnOutside

/// The server of the rollout and the heal tier: members behind one front, each with a volume and a ledger of its own.
final class LaneFleet {
    static let replicas = 3
    /// How many members a rollout may have out at once.
    static let mostOut = 1

    let home: LaneHome
    let members: [LaneServer]

    init(_ home: LaneHome) {
        self.home = home
        members = (0..<LaneFleet.replicas).map { LaneServer(home, ordinal: $0) }
    }

    /// Brings it up for the first time.
    ///
    /// The deadline of a member runs from its take-out on. It is enough for a replacement beside two machines that write, and
    /// no more, since a rollout whose new member was killed waits for its end. An autopilot may heal in each cell, and takes a member
    /// that falls again within the time of some cells for one that a start does not help.
    func create() throws {
        try LaneServer.bringUp(
            home,
            [
                "replicas: \(LaneFleet.replicas)", "volume-from: empty",
                "rollout: { max-unavailable: \(LaneFleet.mostOut), soak: 3s, progress-deadline: 90s }",
                "heal: { at-most: 20, per: 1m }",
            ]
        )
    }

    /// What kiln says of each member, in their order.
    func statuses() throws -> [LaneServer.Status] {
        let all = try LaneServer.statuses(home).sorted { ($0.ordinal ?? -1) < ($1.ordinal ?? -1) }
        guard all.map(\.ordinal) == members.map(\.member.ordinal) else {
            throw Failure("kiln ps shows the members \(all.map { $0.ordinal ?? -1 })")
        }
        return all
    }

    /// The one version of the image that all members have.
    func version(_ statuses: [LaneServer.Status]) -> String? {
        let versions = Set(statuses.map { $0.image?.version ?? "none" })
        return versions.count == 1 ? versions.first : nil
    }

    /// Begins a ledger in each member, with rests: all of them write beside a machine that boots.
    func beginLedgers() throws {
        for member in members { try member.beginLedger(awaiting: 3, rest: "0.2") }
    }
}

/// Who is sent requests, as kiln wrote it down for the front.
struct FrontFile: Decodable, Equatable {
    struct Slot: Decodable, Equatable {
        let ordinal: Int
        let generation: Int?
        /// The ports by which the machine itself is reached.
        let ports: [String: UInt16]
        let standing: String
        var isServing: Bool { standing == "serving" }
    }

    let slots: [Slot]

    /// That of a home's server.
    init(of home: LaneHome) throws {
        self = try JSONDecoder().decode(FrontFile.self, from: try contents(home.server + "/front.json"))
    }

    subscript(ordinal: Int) -> Slot? { slots.first { $0.ordinal == ordinal } }
}

/// One run of the heal tier: a member's machine is killed at a random moment, and an autopilot looks after the lab.
struct HealCell: Sendable {
    let number: Int

    /// The first part of the names of all cells.
    static let tier = "heals"

    var name: String { HealCell.tier + (number < 10 ? "/0" : "/") + "\(number)" }

    /// All of them.
    static let all = (1...20).map { HealCell(number: $0) }
}

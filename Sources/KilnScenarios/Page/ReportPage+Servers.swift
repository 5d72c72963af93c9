import Foundation
import KilnEngine
import KilnModel

extension ReportPage {
    /// The life of a server, from its journal.
    ///
    /// - Parameter autopilot: what autopilots did to it, oldest first.
    public init(_ server: MemberID, _ history: ServerHistory, autopilot: [AutopilotRecord] = []) {
        self.init(head: "\(server)", [ServerSection(server, history, autopilot).section])
    }

    /// One replacement, as the process that made it saw it.
    ///
    /// - Parameters:
    ///   - phases: with times since it was begun.
    ///   - strip: what users saw meanwhile.
    ///   - gapMS: the longest time without an answer, in milliseconds.
    public init(
        _ report: ReplacementReport,
        phases: [ScenarioReport.Phase],
        strip: AvailabilityStrip?,
        gapMS: Int?
    ) {
        let section = ReplacementSection(report, phases: phases, strip: strip, gapMS: gapMS).section
        self.init(head: "\(report.server)", [section])
    }

    /// A rollout, as the process that drove it saw it.
    ///
    /// - Parameters:
    ///   - phases: those of all members, with times since it was begun.
    ///   - strip: what users saw meanwhile.
    ///   - seen: the same in figures.
    public init(
        _ report: RolloutReport,
        phases: [ScenarioReport.Phase],
        strip: AvailabilityStrip?,
        seen: AvailabilityResult?
    ) {
        let section = RolloutSection(report, phases: phases, strip: strip, seen: seen).section
        self.init(head: "\(report.server)", [section])
    }
}

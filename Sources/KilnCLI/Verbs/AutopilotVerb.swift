import ArgumentParser
import KilnEngine
import KilnModel
import Synchronization

/// `kiln autopilot`: a lab that recovers by itself.
struct AutopilotVerb: Verb {
    static let configuration = CommandConfiguration(
        commandName: "autopilot",
        abstract:
            "Look after a lab: heal servers, replace those that are due, and let members come and go by their load.",
        discussion: """
            It goes on until Ctrl-C, and looks after servers whose lab file says 'heal'. One that is gone or silent is started \
            again, once; where that does not help it gets another machine of the same image and configuration, after a check of \
            its volumes. After so many heals in a row it is given up. Servers that a person stopped, that are halted, that \
            another command works on or whose rollout is open are left alone. What it did is in 'kiln history'.

            Servers whose lab file says 'autoscale' get as many members as their front has work for, within the limits of that. \
            Members come and go as by 'kiln scale'.

            With --once what is seen is taken to last; a load is measured for two seconds. That ends with 0 where nothing was to be done or all of it helped, with \
            10 where something did not help, and with 13 where a person has to do something.
            """
    )

    @Argument(help: "The lab.", completion: .labs)
    var lab: String

    @Flag(help: "Only tell what would be done.")
    var dryRun = false

    @Flag(help: "Look once, do what follows, and end.")
    var once = false

    @OptionGroup var global: GlobalOptions

    func validate() throws {
        if !once && global.format == .json {
            throw ValidationError("What goes on is not one JSON document; use --format ndjson, or --once.")
        }
    }

    func execute(_ session: Session) async throws -> Int32 {
        let lab = try Name(lab)
        let engine = try await session.workspace().engine
        let lines = Mutex<[AutopilotLine]>([])
        let options = AutopilotOptions(isDryRun: dryRun, isOnce: once)
        if !once { session.say("looking after the lab \(lab) until Ctrl-C; what is done is told here") }
        let report = try await engine.autopilot(lab, options) { line in
            if session.format != .json { session.write(line) }
            // What goes on for ever is not kept.
            if once { lines.withLock { $0.append(line) } }
        }
        let all = lines.withLock { $0 }
        if session.format == .json { try session.show(AutopilotResult(lines: all)) }
        if once, all.isEmpty { session.say("nothing is to be done in the lab \(lab)") }
        return report.exit.rawValue
    }
}

extension Session {
    /// Writes a decision as soon as it is made.
    fileprivate func write(_ line: AutopilotLine) {
        // One that can't be encoded there is none of.
        try? show(AutopilotLineView(line: line))
    }
}

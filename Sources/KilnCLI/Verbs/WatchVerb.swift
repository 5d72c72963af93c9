import ArgumentParser
import KilnEngine
import KilnModel
import KilnScenarios

/// `kiln watch`: a lab as it changes.
struct WatchVerb: Verb {
    static let configuration = CommandConfiguration(
        commandName: "watch",
        abstract: "Show a lab as it changes: servers, generations, open replacements, probes, and ledgers of a run.",
        discussion: """
            It goes on until Ctrl-C. On a terminal the picture is drawn anew; elsewhere it is written whenever it has changed. With \
            --html it is also a page that reloads itself, for a second screen or a training room. While the hypervisor can't be \
            reached, it says so beside what it saw last. The probes are those of each server's ready list that are asked from \
            outside, such as http.
            """
    )

    @Argument(help: "The lab; it may come later.", completion: .labs)
    var lab: String

    @Option(help: ArgumentHelp("The pause between two looks, such as 1s, which is usual.", valueName: "duration"))
    var every: Patience?

    @Option(
        help: ArgumentHelp("Write a page that reloads itself to this file, too.", valueName: "file"),
        completion: .file()
    )
    var html: String?

    @Flag(help: "Look once, and end.")
    var once = false

    @OptionGroup var global: GlobalOptions

    func validate() throws {
        if !once && global.format == .json {
            throw ValidationError("What goes on is not one JSON document; use --format ndjson, or --once.")
        }
    }

    func execute(_ session: Session) async throws -> Int32 {
        let (lab, pause) = (try Name(lab), every?.duration ?? .seconds(1))
        let file = try html.map { try ReportFile($0) }
        let engine = try await session.workspace().engine
        if let file { session.say("the page is in \(file.path)") }
        var last: LabGlance?
        while true {
            let glance = try await look(at: lab, engine, after: last)
            if glance.lines != last?.lines {
                if session.terminal.canRedraw && !once { session.output.text(WatchVerb.clear) }
                try session.show(LabGlanceView(glance: glance))
            }
            last = glance
            try await file?.write(try glance.page(every: pause).html())
            guard !once, session.output.state() == .open else { return 0 }
            // Nothing tells of a change in a guest.
            try await Task.sleep(for: pause)
        }
    }

    // A hypervisor that starts again is reached by the next look, which opens a connection of its own. The first look has to
    // succeed: where nothing was ever seen, nothing is to be shown.
    private func look(at lab: Name, _ engine: LabEngine, after last: LabGlance?) async throws -> LabGlance {
        do {
            return try await LabGlance(lab, engine)
        } catch let error as KilnError where [.unreachable, .deadline].contains(error.exit) {
            guard let last else { throw error }
            return last.unseen(error)
        }
    }

    // To the upper left corner, and everything from there on is gone: ECMA-48, CUP and ED.
    private static let clear = "\u{1b}[H\u{1b}[J"
}

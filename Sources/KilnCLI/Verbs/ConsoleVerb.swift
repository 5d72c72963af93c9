import ArgumentParser
import KilnEngine
import KilnModel

/// `kiln console`: the serial console of a server's machine.
struct ConsoleVerb: Verb {
    static let configuration = CommandConfiguration(
        commandName: "console",
        abstract: "Connect to a server's serial console; leave it with Ctrl-].",
        discussion: """
            On a terminal, what the guest writes reaches it unchanged, or nobody could log in there. Where standard input or \
            output is no terminal, the console is only listened to, and control sequences are escaped.
            """
    )

    @OptionGroup var target: ServerArgument
    @OptionGroup var global: GlobalOptions

    func execute(_ session: Session) async throws -> Int32 {
        let workspace = try await session.workspace()
        let id = try workspace.engine.member(named: target.server)
        let path = try workspace.engine.consoleSocket(id)
        let isInteractive = session.terminal.isInputInteractive && session.terminal.isOutputInteractive
        if isInteractive { session.say("\(try workspace.engine.machine(id)): leave with Ctrl-]") }
        session.progress.clear()
        let printer = LogPrinter(output: session.output, isRaw: isInteractive)
        try await Wakeup.run { wakeup in
            let console = try ConsoleConnection(path: path)
            defer { console.close() }
            let mode = isInteractive ? RawMode() : nil
            defer { mode?.leave() }
            console.pass(input: isInteractive ? 0 : nil, wakeup: wakeup, for: session.output) { printer.take($0) }
        }
        printer.finish()
        if isInteractive { session.errors.text("\n") }
        return 0
    }
}

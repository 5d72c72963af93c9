import ArgumentParser
import KilnModel

/// A command that does something.
protocol Verb: AsyncParsableCommand {
    /// The options that every verb takes.
    var global: GlobalOptions { get }
    /// Does it; returns the exit status.
    func execute(_ session: Session) async throws -> Int32
}

extension Verb {
    /// Does it; an error is written and becomes its exit status.
    func status(in session: Session) async -> Int32 {
        do {
            let status = try await execute(session)
            session.progress.clear()
            do {
                try session.output.check()
                return status
            } catch {
                // What the command has to say of itself goes first.
                let own = session.tell(error)
                return status == 0 ? own : status
            }
        } catch {
            return session.report(error)
        }
    }
}

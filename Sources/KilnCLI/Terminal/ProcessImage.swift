import Foundation
import KilnModel

/// Another program in place of this one, so that the terminal, signals and the exit status are that program's own.
enum ProcessImage {
    /// Turns this process into a program, which is looked up on PATH.
    ///
    /// - Parameters:
    ///   - variables: set besides those that this process has.
    ///   - package: the Debian package that has the program, for who lacks it.
    ///   - code: of the error where it can't be run.
    /// - Throws: `KilnError` with that code.
    static func become(
        _ arguments: [String],
        variables: [String: String] = [:],
        package: String,
        code: ErrorCode = .toolMissing
    ) throws -> Never {
        for (name, value) in variables { setenv(name, value, 1) }
        var pointers: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) }
        pointers.append(nil)
        // Threads of Dispatch block every signal, and what this one blocks would be blocked in the program, too.
        var (none, before) = (sigset_t(), sigset_t())
        sigemptyset(&none)
        pthread_sigmask(SIG_SETMASK, &none, &before)
        execvp(arguments[0], &pointers)
        let cause = String(cString: strerror(errno))
        pthread_sigmask(SIG_SETMASK, &before, nil)
        pointers.forEach { free($0) }
        throw KilnError(code, "\(arguments[0]) can't be run", hint: "install \(package)", cause: cause)
    }
}

import KilnModel
import KilnSystem
import LibvirtKit
import LibvirtXML

/// The errors of libvirt in Kiln's terms.
enum HypervisorFailure {
    /// The code of an error after which nothing is known of what happened.
    static let lost = ErrorCode.hypervisorUnreachable
    /// The code of an error that libvirt gave; whether it did what it was asked to is another question.
    static let failed = ErrorCode.hypervisorFailed

    /// A `KilnError` or a `CancellationError` for any error.
    ///
    /// - Parameters:
    ///   - error: the error; returned as it is where it needs no translation.
    ///   - subject: what it is about, such as "machine lab/web#1".
    ///   - isLost: whether the connection ended, or never came about.
    static func translated(_ error: any Error, subject: String, isLost: Bool) -> any Error {
        switch error {
        case is CancellationError, is KilnError: error
        case let error as LibvirtError: translated(error, subject: subject, isLost: isLost)
        case let error as DeadlineExceeded where isLost: unreached("\(error.operation)", cause: "\(error)")
        case let error as DeadlineExceeded:
            KilnError(
                .hypervisorDeadline,
                "libvirt did not finish in time with \(subject)",
                hint: "see whether another program works on it: kiln doctor",
                cause: "\(error)",
                exit: .deadline
            )
        case let error as XMLError:
            KilnError(.hypervisorDocument, "the libvirt document of \(subject) is impossible", cause: "\(error)")
        default: KilnError(failed, "libvirt failed with \(subject)", cause: "\(error)")
        }
    }

    private static func translated(_ error: LibvirtError, subject: String, isLost: Bool) -> KilnError {
        let cause = Printable.text(error.description.utf8)
        if isLost { return unreached("\(error.operation) \(error.subject)", cause: cause) }
        return KilnError(failed, "libvirt could not \(error.operation) of \(subject)", cause: cause)
    }

    private static func unreached(_ doing: String, cause: String) -> KilnError {
        KilnError(
            lost,
            "the hypervisor can't be reached, while doing: \(doing)",
            hint: "run 'kiln doctor'; then run the command again, it finds out what happened",
            cause: cause,
            exit: .unreachable
        )
    }

    /// What libvirt does not let be read though it can be reached: nothing is known then, and nothing is to be decided.
    static func unreadable(_ error: KilnError, subject: String) -> KilnError {
        KilnError(
            .hypervisorUnreadable,
            "libvirt does not tell the state of \(subject)",
            hint: "run 'kiln doctor'; then run the command again, it finds out what happened",
            cause: error.cause,
            exit: .unreachable
        )
    }
}

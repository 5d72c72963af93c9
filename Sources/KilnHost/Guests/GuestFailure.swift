import KilnModel
import KilnSystem
import LibvirtKit

/// The errors of guest agents in Kiln's terms.
enum GuestFailure {
    /// No agent answers.
    static let silence = ErrorCode.guestAgentSilent
    /// The agent answers that it can't.
    static let refusal = ErrorCode.guestRefused

    /// The error as a `KilnError` where it is about what the guest said; as it is otherwise.
    static func translated(_ error: any Error, machine: MachineID) -> any Error {
        switch error {
        case let error as DeadlineExceeded:
            KilnError(
                .guestCommandDeadline,
                "a command in machine \(machine) was still running after \(error.limit)",
                hint: "it goes on in the guest; look there, or give it more time",
                exit: .deadline
            )
        case GuestAgentError.answerTooLarge(_, let limit):
            KilnError(.guestTooLarge, "an answer of machine \(machine) is larger than \(limit) bytes")
        case GuestAgentError.refused(_, let reason):
            KilnError(refusal, "the agent of machine \(machine) refuses", cause: text(reason))
        case let error as GuestAgentError:
            KilnError(
                .guestNonsense,
                "the agent of machine \(machine) gives no sensible answer",
                cause: text("\(error)")
            )
        default: error
        }
    }

    /// The machine is on, and its agent gave no answer.
    static func silent(_ machine: MachineID, _ error: LibvirtError) -> KilnError {
        KilnError(
            silence,
            "the agent of machine \(machine) does not answer",
            hint: "look at its console",
            cause: text(error.message),
            exit: .deadline
        )
    }

    /// The machine is off, or gone.
    static func machineOff(_ machine: MachineID, _ error: LibvirtError) -> KilnError {
        KilnError(
            .guestMachineOff,
            "machine \(machine) is off, so its guest can't be reached",
            hint: "start it with 'kiln start \(machine.server)'",
            cause: text(error.message),
            exit: .blocked
        )
    }

    /// Guests choose these words.
    private static func text(_ message: String) -> String { Printable.text(message.utf8) }
}

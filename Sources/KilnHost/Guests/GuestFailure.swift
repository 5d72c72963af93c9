import KilnModel
import KilnSystem
import LibvirtKit

/// The errors of guest agents in Kiln's terms.
enum GuestFailure {
    /// The error as a `KilnError` where it is about what the guest said; as it is otherwise.
    static func translated(_ error: any Error, machine: MachineID) -> any Error {
        switch error {
        case let error as DeadlineExceeded:
            stillRunning(machine, error.limit)
        case GuestAgentError.answerTooLarge(_, let limit):
            tooLarge(nil, machine, limit)
        case let error as GuestAgentError:
            KilnError(
                .guestNonsense,
                "the agent of machine \(machine) gives no sensible answer",
                cause: text("\(error)")
            )
        default: error
        }
    }

    /// A file of the guest, or what a command there wrote, is larger than is taken.
    static func tooLarge(_ path: String?, _ machine: MachineID, _ limit: Int) -> KilnError {
        KilnError(
            .guestTooLarge,
            "\(path.map(Name.quoted) ?? "what a command wrote") in machine \(machine) is larger than the "
                + "\(ByteCount(bytes: UInt64(limit))) that are taken",
            hint: "'kiln cp' copies a file of any size, and 'kiln exec' takes any output",
            exit: .usage
        )
    }

    /// The guest doesn't let a file be read or written; `what` is the verb.
    static func noFile(_ what: String, _ path: String, _ machine: MachineID, _ error: KilnError) -> KilnError {
        noFile(what, path, machine, cause: error.cause)
    }

    static func noFile(_ what: String, _ path: String, _ machine: MachineID, cause: String?) -> KilnError {
        KilnError(
            .guestRefused,
            "the guest of machine \(machine) can't \(what) \(Name.quoted(path))",
            hint: what == "write"
                ? "its folder may be missing, read-only or full: 'kiln exec \(machine.member) -- df -h DIRECTORY'"
                : "it may be a folder, have gone meanwhile, or its disk be damaged: 'kiln exec \(machine.member) -- ls -la PATH'",
            cause: cause,
            exit: .aborted
        )
    }

    /// A command did not end in time.
    static func stillRunning(_ machine: MachineID, _ limit: Duration) -> KilnError {
        KilnError(
            .guestCommandDeadline,
            "a command in machine \(machine) was still running after \(limit)",
            hint: "it goes on in the guest; look there, or give it more time",
            exit: .deadline
        )
    }

    /// The machine is on, no agent has connected, and its SSH server is no way in either.
    static func noWay(_ machine: MachineID, _ absent: KilnError, _ closed: KilnError) -> KilnError {
        KilnError(
            .guestNoAgent,
            "\(absent.message), and \(closed.message)",
            hint: closed.hint,
            cause: closed.cause ?? absent.cause,
            exit: .deadline
        )
    }

    /// The agent answers that it can't; or, for good, that it may not.
    static func refused(_ machine: MachineID, _ command: String, _ reason: String, isForGood: Bool) -> KilnError {
        guard isForGood else {
            return KilnError(.guestRefused, "the agent of machine \(machine) refuses", cause: text(reason))
        }
        return KilnError(
            .guestForbidden,
            "the guest of machine \(machine) does not let its agent carry out \(command), which Kiln needs",
            hint:
                "allow it in the image: see '--block-rpcs', '--blacklist' and '--allow-rpcs' where it starts qemu-ga, and "
                + "/etc/qemu/qemu-ga.conf",
            cause: text(reason),
            exit: .aborted
        )
    }

    /// The agent can't start a program.
    static func notStarted(_ program: String, _ machine: MachineID, cause: String?) -> KilnError {
        KilnError(
            .guestRefused,
            "\(Name.quoted(program)) can't be started in machine \(machine)",
            hint: "see whether the guest has it, and whether it may be run there",
            cause: cause,
            exit: .usage
        )
    }

    /// The agent started a program, and can't say how it ended: it says so once, and too much output can't be carried.
    static func resultLost(_ program: String, _ machine: MachineID, _ reason: String) -> KilnError {
        KilnError(
            .guestResultLost,
            "\(Name.quoted(program)) was started in machine \(machine), and its agent can't say what came of it",
            hint: "it wrote more than an agent can carry, some 3 MB, or the agent began anew: let it write to a file",
            cause: text(reason),
            exit: .aborted
        )
    }

    /// The machine is on, and nobody in its guest has opened the agent's channel.
    static func absent(_ machine: MachineID, _ error: LibvirtError) -> KilnError {
        KilnError(
            .guestNoAgent,
            "no agent runs in the guest of machine \(machine)",
            hint: "it boots yet, or its image has none: 'kiln logs \(machine.member)' shows how far it is",
            cause: text(error.message),
            exit: .deadline
        )
    }

    /// The machine is on, and its agent gave no answer.
    static func silent(_ machine: MachineID, _ error: LibvirtError) -> KilnError {
        KilnError(
            .guestAgentSilent,
            "the agent of machine \(machine) does not answer",
            hint: "its guest hangs or has too much to do; 'kiln logs \(machine.member)' shows its console",
            cause: text(error.message),
            exit: .deadline
        )
    }

    /// The machine is off, or gone.
    static func machineOff(_ machine: MachineID, _ error: LibvirtError) -> KilnError {
        KilnError(
            .guestMachineOff,
            "machine \(machine) is off, so its guest can't be reached",
            hint: "start it with 'kiln start \(machine.member)'",
            cause: text(error.message),
            exit: .blocked
        )
    }

    /// Guests choose these words.
    private static func text(_ message: String) -> String { Printable.text(message.utf8) }
}

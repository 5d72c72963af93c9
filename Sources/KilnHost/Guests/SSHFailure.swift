import KilnModel
import KilnSystem

/// What keeps Kiln out of a guest with an SSH server.
enum SSHFailure {
    /// Why a connection failed, by what the server shows now; ssh says it only in words.
    static func lost(_ machine: MachineID, hasExpectedKey: Bool?, _ said: [UInt8]) -> KilnError {
        switch hasExpectedKey {
        case true?: refused(machine, said)
        case false?: hostKeyDiffers(machine)
        case nil: silent(machine)
        }
    }

    static func silent(_ machine: MachineID) -> KilnError {
        KilnError(
            .guestSSHSilent,
            "the SSH server of machine \(machine) does not answer",
            hint: "its guest boots yet, or its image starts none: 'kiln logs \(machine.member)' shows its console",
            exit: .deadline
        )
    }

    static func refused(_ machine: MachineID, _ said: [UInt8]) -> KilnError {
        KilnError(
            .guestSSHRefused,
            "the SSH server of machine \(machine) lets Kiln not in as root, and as none of cloud-init's users who may become root",
            hint:
                "its image has to take the keys that cloud-init brings (ssh_authorized_keys), and sudo has to ask no password",
            cause: said.isEmpty ? nil : Printable.text(said),
            exit: .aborted
        )
    }

    static func hostKeyDiffers(_ machine: MachineID) -> KilnError {
        KilnError(
            .guestHostKeyDiffers,
            "the SSH server of machine \(machine) shows another host key than the one that the machine was born with",
            hint:
                "something in its image or its user-data makes host keys anew, or another server has its port: Kiln talks to "
                + "none that it does not know",
            exit: .aborted
        )
    }

    static func refusedFreeze(_ machine: MachineID, _ what: String, _ said: [UInt8]) -> KilnError {
        KilnError(.guestRefused, "the guest of machine \(machine) can't \(what)", cause: Printable.text(said))
    }
}

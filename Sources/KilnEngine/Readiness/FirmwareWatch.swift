import KilnModel

/// Watches for the signs of a machine whose firmware is not the one that its disk was made for.
struct FirmwareWatch {
    private let waiter: ReadinessWaiter
    private let begin = ContinuousClock.now
    private var complained: ContinuousClock.Instant?
    private var hasNamedSilence = false

    init(_ waiter: ReadinessWaiter) { self.waiter = waiter }

    /// For how long UEFI's firmware may go on trying after it could not start one thing.
    private static let patience = Duration.seconds(10)

    /// Looks at the console once.
    ///
    /// A BIOS says nothing where it finds nothing, and so does a system whose console is not the serial port: that is only told.
    /// - Throws: `ready.wrong-firmware` where UEFI's firmware says that it has found nothing to start.
    mutating func look() throws {
        switch waiter.firmware {
        case .uefi:
            guard let line = waiter.console.firmwareComplaint else { return complained = nil }
            let since = complained ?? .now
            complained = since
            guard FirmwareLine.isFinal(line) || since.duration(to: .now) > Self.patience else { return }
            throw waiter.wrongFirmware(line)
        case .bios:
            guard !hasNamedSilence, begin.duration(to: .now) > waiter.firmwareTime, let hint = waiter.wrongFirmware
            else { return }
            hasNamedSilence = true
            waiter.parts.progress(
                .note(
                    "\(waiter.machine) has said nothing on its console for \(waiter.firmwareTime.components.seconds) s: \(hint)"
                )
            )
        case nil: return
        }
    }
}

extension ReadinessWaiter {
    /// How long the console of a machine may be empty before that is told.
    var firmwareTime: Duration { .seconds(30) }

    /// What may be the reason where firmware is all there was.
    var wrongFirmware: String? {
        switch firmware {
        case .bios where console.isEmpty:
            "its disk may have nothing for a BIOS, and then 'kiln image add --firmware uefi' helps; or it does not use the "
                + "serial port as its console"
        case .uefi where console.firmwareComplaint != nil: Self.firmwareHint
        default: nil
        }
    }

    private static let firmwareHint =
        "its disk has nothing for UEFI: add the image again with 'kiln image add --firmware bios'"

    func wrongFirmware(_ line: String) -> KilnError {
        KilnError(
            .readyWrongFirmware,
            "the firmware of \(machine) finds nothing to start on its disk: \(line)",
            hint: Self.firmwareHint,
            cause: lastLines,
            exit: .aborted
        )
    }
}

/// What UEFI's firmware says on a console.
///
/// EDK II: MdeModulePkg/Universal/BdsDxe/BdsEntry.c and MdeModulePkg/Library/UefiBootManagerLib, and its shell's banner.
enum FirmwareLine {
    static let shells = ["UEFI Interactive Shell", "Shell>"]
    static let failures = [
        "BdsDxe: failed to load", "BdsDxe: failed to start", "BdsDxe: No bootable option or device was found",
    ]

    /// Whether it tells of a thing that could not be started, or of the shell that comes after all of them.
    static func isComplaint(_ line: String) -> Bool { (shells + failures).contains(where: line.contains) }

    /// Whether nothing comes after it.
    static func isFinal(_ line: String) -> Bool { shells.contains(where: line.contains) }

    /// What a boot loader or a kernel says, but no firmware.
    static let successors = [
        "Linux version", "EFI stub", "GRUB", "Loading ", "systemd", "Cloud-init", "kiln-guest:", "login:", "Welcome to",
    ]
}

import KilnModel

extension HostAcceleration {
    /// What machines on this host are like; the place where QEMU's ways are known.
    public var platform: Platform { HostAcceleration.platform(acceleration) }

    static func platform(_ acceleration: MachineSpec.Acceleration) -> Platform {
        switch acceleration {
        case .kvm: Platform(acceleration: .kvm, signs: missingInstructions)
        case .tcg:
            Platform(
                acceleration: .tcg,
                kernelWords: ["norandmaps", "no_timer_check"],
                signs: missingInstructions + [lateBreakpoint, crash],
                crashes: crashes
            )
        }
    }

    // norandmaps: QEMU 7.2 translates code anew for every address that it is mapped at. With randomised addresses that is
    // every process anew, and after a guest's reboot the kernel spends minutes overwriting pages that thousands of stale
    // translations belong to.

    // no_timer_check: a kernel counts its own loops while it waits for the timer's first ticks, and panics where these come
    // late, as those of an emulated timer do on a busy host. Seen 8 ms into the boot.

    // A processor that QEMU emulates in a thread of its own may still meet a breakpoint by which the kernel guards code that
    // it rewrites, when that is already gone. https://bugzilla.redhat.com/show_bug.cgi?id=2216496
    private static let lateBreakpoint = Platform.ConsoleSign(
        "int3:",
        processors: 2,
        hint: "most likely a rare fault of QEMU's emulation of several processors, not of the image: "
            + "repeat the command, or give the server 'processors: 1'"
    )

    // Seen with one processor on a busy host: a double fault right after a CMPXCHG16B, 1.2 s into the boot.
    private static let crashes = [
        "Oops: ", "double fault", "BUG: unable to handle", "general protection fault", "Fatal exception", "int3:",
        "IO-APIC + timer doesn't work",
    ]

    private static let crash = Platform.ConsoleSign(
        "double fault",
        hint: "maybe a rare fault of QEMU's emulation, not of the image: repeat the command"
    )

    // What glibc and kernels say where a program uses an instruction that the processor lacks.
    private static let missingInstructions = [
        missing("CPU does not support x86-64-v2", "cpu: x86-64-v2"),
        missing("CPU does not support x86-64-v3", "cpu: x86-64-v3"),
        missing("CPU does not support x86-64-v4", "cpu: host"),
        missing("trap invalid opcode", "cpu: x86-64-v2' or 'cpu: x86-64-v3"),
        missing("Illegal instruction", "cpu: x86-64-v2' or 'cpu: x86-64-v3"),
        missing("exitcode=0x00000004", "cpu: x86-64-v2' or 'cpu: x86-64-v3"),
    ]

    private static func missing(_ text: String, _ field: String) -> Platform.ConsoleSign {
        Platform.ConsoleSign(
            text,
            hint: "the image needs instructions that the machine's processor does not have: give the server '\(field)'"
        )
    }
}

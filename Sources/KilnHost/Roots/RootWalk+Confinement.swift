import CLinux
import Glibc
import KilnSystem

extension RootWalk {
    /// Leaves who takes this process over as little to win as the kernel allows, whoever runs it.
    static func confine(to user: String?, writing longest: UInt64) throws {
        try limit([(RLIMIT_CORE, 0), (RLIMIT_CPU, 600), (RLIMIT_AS, 4 << 30), (RLIMIT_FSIZE, rlim_t(longest))])
        if let user {
            let owner = try MachineOwner.named(user)
            guard setgroups(0, nil) == 0, setgid(owner.gid) == 0, setuid(owner.uid) == 0, owner.uid != 0,
                setuid(0) != 0
            else { throw ConfinementFailure(what: "user \(user)") }
        }
        // After the change of user, which would undo it.
        guard kiln_end_with_parent() == 0, chdir("/") == 0 else { throw ConfinementFailure(what: "privileges") }
        try giveUpRights()
        // What is open stays open: no file, socket or process comes to it, also where the kernel lacks Landlock.
        try limit([(RLIMIT_NOFILE, 0), (__RLIMIT_NPROC, 0)])
    }

    private static func limit(_ limits: [(__rlimit_resource, rlim_t)]) throws {
        for (resource, most) in limits {
            var limit = rlimit(rlim_cur: most, rlim_max: most)
            guard setrlimit(__rlimit_resource_t(resource.rawValue), &limit) == 0 else {
                throw ConfinementFailure(what: "limits")
            }
        }
    }

    /// What of Landlock the kernel has: at least 1, or -1 where it is not built in or turned off.
    static var landlockVersion: Int32 {
        let asksForVersion: UInt32 = 1
        return kiln_landlock_create_ruleset(nil, 0, asksForVersion)
    }

    /// Takes from this thread, and those that it starts, every way to new privileges, and as far as the kernel has Landlock
    /// what is in files and directories, the making and removing of them, TCP, and signals to other processes.
    ///
    /// Landlock leaves modes, owners and times of files, which only their owner can change.
    ///
    /// https://docs.kernel.org/userspace-api/landlock.html
    static func giveUpRights() throws {
        guard kiln_give_up_new_privileges() == 0 else { throw ConfinementFailure(what: "new privileges") }
        let version = landlockVersion
        guard version > 0 else { return }
        // What a ruleset names and no rule allows is denied; a kernel refuses names that it does not know.
        let files = version >= 5 ? 16 : version >= 3 ? 15 : version == 2 ? 14 : 13
        let attributes: [UInt64] = [(1 << files) - 1, version >= 4 ? 0b11 : 0, version >= 6 ? 0b11 : 0]
        let ruleset = attributes.withUnsafeBytes { kiln_landlock_create_ruleset($0.baseAddress, $0.count, 0) }
        guard ruleset >= 0 else { throw ConfinementFailure(what: "Landlock's rules") }
        defer { close(ruleset) }
        guard kiln_landlock_restrict_self(ruleset) == 0 else { throw ConfinementFailure(what: "Landlock") }
    }

    struct ConfinementFailure: Error { let what: String }
}

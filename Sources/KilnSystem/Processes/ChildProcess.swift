import Glibc

/// Starts programs through posix_spawn: what the daemon needs before and below everything else.
///
/// swift-subprocess isn't used because these processes outlive their parent.
public enum ChildProcess {
    /// Starts a program with exactly `environment`, default signal actions and none blocked.
    ///
    /// - Parameters:
    ///   - program: the path of the program; without it `arguments[0]` is that.
    ///   - descriptors: what the program sees as descriptors 0, 1, 2 …; nil stands for /dev/null. Those beyond stay as they
    ///     are.
    /// - Returns: the pid and 0, or the number of the error.
    public static func spawn(
        _ arguments: [String],
        program: String? = nil,
        environment: [String],
        descriptors: [Int32?]
    ) -> (pid: pid_t, error: Int32) {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for (number, descriptor) in descriptors.enumerated() {
            if let descriptor {
                posix_spawn_file_actions_adddup2(&actions, descriptor, Int32(number))
            } else {
                posix_spawn_file_actions_addopen(&actions, Int32(number), "/dev/null", O_RDWR, 0)
            }
        }
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        sigfillset(&signals)
        posix_spawnattr_setsigdefault(&attributes, &signals)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK))

        var pid: pid_t = 0
        let error = withStrings(arguments) { argv in
            withStrings(environment) { posix_spawn(&pid, program ?? arguments[0], &actions, &attributes, argv, $0) }
        }
        return (pid, error)
    }

    private static func withStrings<Result>(
        _ strings: [String],
        _ body: ([UnsafeMutablePointer<CChar>?]) -> Result
    ) -> Result {
        let copies = strings.map { strdup($0) }
        defer { copies.forEach { free($0) } }
        return body(copies + [nil])
    }

    /// Waits for the end of a child.
    ///
    /// - Returns: its exit status, or 128 and the signal.
    @discardableResult
    public static func wait(for pid: pid_t) -> Int32 {
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0 && errno == EINTR {}
        return exitStatus(status)
    }

    /// The exit status in what wait(2) reports, or 128 and the signal.
    public static func exitStatus(_ status: Int32) -> Int32 {
        let signal = status & 0x7f
        return signal == 0 ? (status >> 8) & 0xff : 128 + signal
    }
}

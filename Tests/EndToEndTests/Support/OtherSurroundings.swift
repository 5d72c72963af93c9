import Foundation
import Glibc

/// Who bakes, when, and with which settings of a shell: none of it may be seen in an image.
enum OtherSurroundings {
    /// Whether this host can pretend another time.
    static let hasOtherTimes = access("/usr/bin/faketime", X_OK) == 0

    /// Runs a program years later.
    static let yearsLater = pretending("2031-02-03 04:05:06")
    /// Runs a program while what mirrors signed today still counts.
    static let tomorrow = pretending("-f", "+30h")

    /// Only what a clock on the wall says is another: deadlines and files have the true time.
    ///
    /// What faketime shares between its processes is its user's alone, and its processes die where they may not open it: as other
    /// users of a namespace of that user's may not.
    private static func pretending(_ time: String...) -> [String] {
        let sharing = """
            semaphore=${FAKETIME_SHARED%% *} memory=${FAKETIME_SHARED#* }
            chmod 0666 "/dev/shm/sem.${semaphore#/}" "/dev/shm/${memory#/}" && exec "$@"
            """
        return ["/usr/bin/env", "FAKETIME_DONT_FAKE_MONOTONIC=1", "NO_FAKE_STAT=1", "/usr/bin/faketime"] + time
            + ["/bin/sh", "-c", sharing, "sh"]
    }

    /// Runs a program as another kind of user, with another mask, zone and language.
    static func asUser(_ name: String, home: String) -> [String] {
        [
            "/usr/sbin/runuser", "-u", name, "--", "/bin/sh", "-c", "umask 002 && exec \"$@\"", "sh", "/usr/bin/env",
            "TZ=Asia/Kathmandu", "LANG=de_DE.UTF-8", "HOME=\(home)/elsewhere",
        ]
    }

    /// A user besides root who can bake: with subordinate ids.
    static let user: String? = PlainUser.name.flatMap { name in
        let files = ["/etc/subuid", "/etc/subgid"].map { (try? String(contentsOfFile: $0, encoding: .utf8)) ?? "" }
        let isListed = files.allSatisfy { $0.split(separator: "\n").contains { $0.hasPrefix("\(name):") } }
        return isListed ? name : nil
    }
}

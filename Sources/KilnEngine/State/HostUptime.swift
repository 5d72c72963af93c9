import Foundation
import KilnModel

/// A moment of the host's life that another process can compare with its own: no change of the wall clock moves it, and
/// time in which the host sleeps counts.
struct HostUptime: Sendable, Hashable, Codable {
    /// The boot that it is of.
    let bootID: String
    /// Seconds since that boot.
    let seconds: Double

    /// The present moment.
    ///
    /// clock_gettime(2): CLOCK_BOOTTIME; proc_sys_kernel(5): the boot id is another one after each boot.
    static var now: HostUptime {
        var time = timespec()
        clock_gettime(CLOCK_BOOTTIME, &time)
        let bootID = (try? String(contentsOfFile: "/proc/sys/kernel/random/boot_id", encoding: .utf8)) ?? ""
        return HostUptime(
            bootID: bootID.trimmingCharacters(in: .whitespacesAndNewlines),
            seconds: Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
        )
    }

    /// How long ago another moment was; nothing if it was before the host's last boot.
    func since(_ earlier: HostUptime) -> Duration? {
        guard bootID == earlier.bootID, seconds >= earlier.seconds else { return nil }
        return .seconds(seconds - earlier.seconds)
    }
}

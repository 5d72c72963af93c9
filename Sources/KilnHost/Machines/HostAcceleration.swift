import Foundation
import Glibc
import KilnModel

/// By what machines are executed on this host, and why.
///
/// The node /dev/kvm, its permissions and even libvirt's capabilities are no proof: where the processor does not announce
/// virtualisation (a nested host), KVM can create machines whose guests then hang for ever.
public struct HostAcceleration: Sendable, Hashable {
    /// What machines are executed by.
    public let acceleration: MachineSpec.Acceleration
    /// Why, in one sentence.
    public let reason: String

    /// Finds out.
    ///
    /// - Parameter owner: the user that machines run as, who may be refused what root is given.
    public static func detect(for owner: MachineOwner) -> HostAcceleration {
        let node = open("/dev/kvm", O_RDWR | O_CLOEXEC)
        guard node >= 0 else { return judged(nodeError: errno, virtualises: false) }
        defer { close(node) }
        let isRefused = geteuid() == 0 && !isOpen(node, to: owner)
        #if arch(arm64)
        let virtualises = true
        #else
        let processors = FileManager.default.contents(atPath: "/proc/cpuinfo") ?? Data()
        let virtualises = announcesVirtualisation(String(decoding: processors, as: UTF8.self))
        #endif
        return judged(nodeError: isRefused ? EACCES : nil, virtualises: virtualises)
    }

    /// Whether mode, owner and groups of an open node let a user read and write it.
    static func isOpen(_ node: Int32, to owner: MachineOwner) -> Bool {
        var status = stat()
        guard fstat(node, &status) == 0 else { return false }
        var groups = [gid_t](repeating: 0, count: 64)
        var count = Int32(groups.count)
        guard getgrouplist(owner.name, owner.gid, &groups, &count) >= 0 else { return false }
        let shift: mode_t =
            status.st_uid == owner.uid ? 6 : groups.prefix(Int(count)).contains(status.st_gid) ? 3 : 0
        return (status.st_mode >> shift) & 0o6 == 0o6
    }

    static func judged(nodeError: Int32?, virtualises: Bool) -> HostAcceleration {
        if let nodeError {
            let why = String(cString: strerror(nodeError))
            return HostAcceleration(acceleration: .tcg, reason: "/dev/kvm can't be opened: \(why)")
        }
        guard virtualises else {
            return HostAcceleration(
                acceleration: .tcg,
                reason: "/dev/kvm opens, but the processor announces neither vmx nor svm, and guests hang then"
            )
        }
        return HostAcceleration(acceleration: .kvm, reason: "/dev/kvm opens and the processor announces virtualisation")
    }

    /// Whether the flags in /proc/cpuinfo name Intel's or AMD's extension.
    ///
    /// The first processor speaks for all: each has some hundred flags, and a host may have a hundred processors.
    static func announcesVirtualisation(_ text: String) -> Bool {
        let lines = "\n" + text
        guard let start = lines.range(of: "\nflags")?.upperBound else { return false }
        return lines[start...].prefix { $0 != "\n" }.split(whereSeparator: \.isWhitespace)
            .contains { $0 == "vmx" || $0 == "svm" }
    }
}

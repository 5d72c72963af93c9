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
        let processors = FileManager.default.contents(atPath: "/proc/cpuinfo") ?? Data()
        let node = open("/dev/kvm", O_RDWR | O_CLOEXEC)
        var refusal = node < 0 ? errno : nil
        if node >= 0 {
            if geteuid() == 0 && !isOpen(node, to: owner) { refusal = EACCES }
            close(node)
        }
        #if arch(arm64)
        let virtualises = true
        #else
        let virtualises = announcesVirtualisation(String(decoding: processors, as: UTF8.self))
        #endif
        return judged(nodeError: refusal, virtualises: virtualises)
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
    static func announcesVirtualisation(_ text: String) -> Bool {
        text.split(separator: "\n").contains { line in
            guard line.hasPrefix("flags") else { return false }
            return line.split(whereSeparator: \.isWhitespace).contains { $0 == "vmx" || $0 == "svm" }
        }
    }
}

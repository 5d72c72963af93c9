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
    public static func detect() -> HostAcceleration {
        let processors = FileManager.default.contents(atPath: "/proc/cpuinfo") ?? Data()
        let node = open("/dev/kvm", O_RDWR | O_CLOEXEC)
        let refusal = errno
        if node >= 0 { close(node) }
        #if arch(arm64)
        let virtualises = true
        #else
        let virtualises = announcesVirtualisation(String(decoding: processors, as: UTF8.self))
        #endif
        return judged(nodeError: node >= 0 ? nil : refusal, virtualises: virtualises)
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

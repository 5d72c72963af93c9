import Foundation
import KilnEngine
import KilnModel

extension LocalHost {
    /// Where libvirt keeps what a machine's QEMU process says.
    ///
    /// https://libvirt.org/drvqemu.html#location-of-configuration-files
    ///
    /// - Throws: `KilnError` with code `logs.none` where the hypervisor keeps none.
    public func processLog(of machine: MachineID) throws -> String {
        let name = "\(machine.domainName).log"
        let environment = ProcessInfo.processInfo.environment
        switch connection.kind {
        case .privateDaemon: return "\(state.root)/daemon/cache/libvirt/qemu/log/\(name)"
        case .session:
            let cache = environment["XDG_CACHE_HOME"] ?? "\(environment["HOME"] ?? "")/.cache"
            return "\(cache)/libvirt/qemu/log/\(name)"
        case .system: return "/var/log/libvirt/qemu/\(name)"
        case .embedded(let root): return "\(root)/log/qemu/\(name)"
        case .test: throw KilnError(.logsNone, "libvirt's test driver runs no process for \(machine)", exit: .usage)
        }
    }
}

import Foundation
import KilnEngine
import KilnModel
import KilnSystem
import LibvirtKit

/// Looks at everything of this host that Kiln depends on.
///
/// It uses what it examines: it makes KILN_HOME and starts the private daemon if that is the hypervisor.
public struct Doctor: Sendable {
    private let home: String?
    private let connect: String?
    private let lab: String?
    private let executable: String

    /// A doctor; the parameters are those of ``LocalHost/open(home:connect:lab:executable:)``.
    public init(home: String? = nil, connect: String? = nil, lab: String? = nil, executable: String) {
        self.home = home
        self.connect = connect
        self.lab = lab
        self.executable = executable
    }

    /// All findings, in the order in which a person would look.
    ///
    /// Nothing is thrown: a failure is a finding.
    public func findings() async -> [DoctorFinding] {
        await hypervisor() + (await tools()) + resources()
    }

    /// Where the home is, or will be.
    func homePath() throws -> String { try home ?? KilnHome.location() }

    private func hypervisor() async -> [DoctorFinding] {
        do {
            let host = try await LocalHost.open(home: home, connect: connect, lab: lab, executable: executable)
            let findings = [
                DoctorFinding("home", .pass, "\(host.state.root); machines run as user '\(host.owner.name)'"),
                Doctor.sockets(host.state.sockets),
            ]
            let hypervisor = await Doctor.hypervisor(host)
            await host.close()
            return findings + hypervisor + [Doctor.accelerated(host.acceleration)]
        } catch {
            return [DoctorFinding("home", failed: error)]
        }
    }

    private static func hypervisor(_ host: LocalHost) async -> [DoctorFinding] {
        do {
            let qemu = try await host.session.read("the hypervisor") { try await $0.hypervisorVersion() }
            return [
                DoctorFinding("hypervisor", .pass, "\(host.connection) answers"),
                DoctorFinding("libvirt", .pass, "version \(LibvirtConnection.libraryVersion)"),
                DoctorFinding("qemu", .pass, "version \(qemu)"),
            ]
        } catch {
            return [DoctorFinding("hypervisor", failed: error)]
        }
    }

    private static func sockets(_ directory: String) -> DoctorFinding {
        let length = directory.utf8.count + "/0123456789abcdef.console".utf8.count
        return DoctorFinding(
            "sockets",
            .pass,
            "\(directory); the longest path has \(length) of \(UnixSocket.longestPath) bytes"
        )
    }

    private static func accelerated(_ found: HostAcceleration) -> DoctorFinding {
        switch found.acceleration {
        case .kvm: return DoctorFinding("acceleration", .pass, "KVM: \(found.reason)")
        case .tcg:
            return DoctorFinding(
                "acceleration",
                .warn,
                "TCG, some ten times slower than KVM: \(found.reason)",
                remedy: "run on hardware, or enable nested virtualisation, and let this user open /dev/kvm"
            )
        }
    }
}

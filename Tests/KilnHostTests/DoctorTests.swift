import Foundation
import KilnModel
import Testing

@testable import KilnHost

@Suite("The doctor")
struct DoctorTests {
    @Test("every tool, the hypervisor, acceleration and resources are looked at, and a failure is a finding")
    func findings() async throws {
        let directory = try TestDirectory()
        let doctor = Doctor(home: directory.path, connect: "test:///default", executable: "/nonexistent/kiln")
        let findings = await doctor.findings()
        let names = Set(findings.map(\.name))
        #expect(
            names.isSuperset(of: ["home", "acceleration", "disk", "links", "memory", "tool.qemu-img", "tool.xorriso"])
        )
        #expect(findings.filter { $0.level != .pass }.allSatisfy { $0.remedy != nil })
        #expect(findings.first { $0.name == "tool.qemu-img" }?.detail.contains("qemu-img version") == true)
    }

    @Test("a hypervisor that nobody can reach does not hide the other findings")
    func unreachable() async throws {
        let doctor = Doctor(home: "/proc/none", connect: "nonsense", executable: "kiln")
        let findings = await doctor.findings()
        #expect(findings.first?.level == .fail)
        #expect(findings.contains { $0.name == "tool.mke2fs" })
    }

    @Test("a home without hard links is a warning that names what is refused, and the look leaves nothing")
    func links() throws {
        let directory = try TestDirectory()
        #expect(Doctor.links(directory.path)?.level == .pass)
        let without = Doctor.links(directory.path) { _, _ in -1 }
        #expect(without?.level == .warn)
        #expect(without?.detail.contains("clones of volumes") == true && without?.remedy != nil)
        #expect(Doctor.links(directory.path + "/none") == nil)
        #expect(directory.names.isEmpty)
    }

    @Test("a QEMU that is too old for networks of labs is known by what it tells")
    func networks() {
        #expect(Doctor.hasNetworks("QEMU emulator version 7.2.15 (Debian 1:7.2+dfsg-7)") == true)
        #expect(Doctor.hasNetworks("QEMU emulator version 10.0.2") == true)
        #expect(Doctor.hasNetworks("QEMU emulator version 7.1.99") == false)
        #expect(Doctor.hasNetworks("QEMU emulator version 6.9") == false)
        #expect(Doctor.hasNetworks("nonsense") == nil)
    }
}

import KilnModel
import Testing

@testable import KilnEngine

@Suite("The kernel's and systemd's tables")
struct GuestTablesTests {
    @Test("addresses of both versions of IP are read, and other states passed over")
    func sockets() {
        let said = """
              sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
               0: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1 0 100 0 0 10 0
               1: 0100007F:0016 00000000:0000 0A 0
               2: 0F02000A:0016 0202000A:A2C4 01 0
               0: 00000000000000000000000001000000:0016 00000000000000000000000000000000:0000 0A 0
               1: B80D0120000000000000000001000000:0016 00000000000000000000000000000000:0000 0A 0
               2: zz:0016 0:0 0A
               3: 00:0016 0:0 0A
            """
        let port = PortResource(transport: .tcp, number: 22)
        #expect(
            SocketTable.listeners(on: port, in: Array(said.utf8)).sorted() == [
                "0.0.0.0", "127.0.0.1", "2001:db8::1", "::1",
            ]
        )
        #expect(SocketTable.listeners(on: PortResource(transport: .tcp, number: 23), in: Array(said.utf8)).isEmpty)
        let datagrams = "0: 0100007F:0035 00000000:0000 07 0\n1: 0200007F:0035 0100007F:0001 01 0"
        let names = PortResource(transport: .udp, number: 53)
        #expect(SocketTable.listeners(on: names, in: Array(datagrams.utf8)) == ["127.0.0.1"])
    }

    @Test("the dead, and those who ask, are no processes")
    func processes() {
        let said = """
            70
            Name:\tinit
            State:\tS (sleeping)
            Pid:\t1
            PPid:\t0
            Name:\tsh
            State:\tS (sleeping)
            Pid:\t70
            PPid:\t2
            Name:\tgrep
            State:\tR (running)
            Pid:\t71
            PPid:\t70
            Name:\tsh
            State:\tZ (zombie)
            Pid:\t72
            PPid:\t1
            Name:\ta\\nb\\\\
            State:\tS (sleeping)
            Pid:\t73
            PPid:\t1
            """
        #expect(ProcessTable.names(in: Array(said.utf8)) == ["init", "a\nb\\"])
        for nonsense in ["", "x", "70", "70\nName"] { #expect(ProcessTable.names(in: Array(nonsense.utf8)) == nil) }
    }

    @Test("the last mount at a path counts, whose name may be escaped")
    func mounts() throws {
        let said = """
            /dev/vda / ext4 rw,relatime 0 0
            tmpfs /a\\040b tmpfs rw 0 0
            /dev/vdb /a\\040b xfs ro,noexec 0 0
            nonsense
            """
        let blank = try #require(RootPath(written: "/a b"))
        let mount = try #require(MountTable.top(at: blank, in: Array(said.utf8)))
        #expect(mount.source == "/dev/vdb" && mount.kind == "xfs" && mount.options == ["ro", "noexec"])
        #expect(MountTable.top(at: .root, in: Array(said.utf8))?.kind == "ext4")
        let none = try #require(RootPath("/a"))
        #expect(MountTable.top(at: none, in: Array(said.utf8)) == nil)
    }

    @Test(
        "a unit is enabled and runs as systemctl has it",
        arguments: [
            ("loaded", "active", "enabled", true, true), ("loaded", "active", "static", true, true),
            ("loaded", "inactive", "disabled", false, false), ("loaded", "failed", "generated", true, false),
            ("loaded", "reloading", "masked", false, true), ("not-found", "inactive", "", false, false),
        ]
    )
    func units(_ load: String, _ active: String, _ file: String, _ isEnabled: Bool, _ isRunning: Bool) {
        let said = "LoadState=\(load)\nActiveState=\(active)\nUnitFileState=\(file)\nnonsense\n"
        let unit = UnitState(Array(said.utf8))
        #expect(unit.isEnabled == isEnabled && unit.isRunning == isRunning)
        if load == "not-found" { #expect(unit.fileWords.contains("not-found") && unit.stateWords == "not-found") }
    }

    @Test("a package counts as installed only where dpkg says so, in each of its architectures")
    func packages() {
        let status = """
            Package: libc6
            Status: install ok installed
            Architecture: amd64
            Version: 2.41-12

            Package: libc6
            Status: hold ok installed
            Architecture: i386
            Version: 2.41-11

            Package: libc6-dev
            Status: install ok installed
            Version: 9

            Package: old
            Status: deinstall ok config-files
            Version: 1
            """
        #expect(DpkgStatus.versions(of: "libc6", in: Array(status.utf8)) == ["2.41-12", "2.41-11"])
        #expect(DpkgStatus.versions(of: "old", in: Array(status.utf8)).isEmpty)
        #expect(DpkgStatus.versions(of: "libc", in: Array(status.utf8)).isEmpty)
    }

    @Test("two machines must have nothing in common, and what neither has is fine")
    func identities() {
        let (a, b) = (String(repeating: "a", count: 64), String(repeating: "b", count: 64))
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        func identity(_ lines: String...) -> GuestIdentity { GuestIdentity(Array(lines.joined(separator: "\n").utf8)) }
        let one = identity(
            "machine-id \(a) /etc/machine-id",
            "ssh-host-key \(a) /k",
            "random-seed \(empty) /s",
            "x y z"
        )
        let two = identity("machine-id \(b) /etc/machine-id", "ssh-host-key \(a) /k", "random-seed \(empty) /s")
        let found = GuestIdentity.Part.allCases.map { one.assertion($0, against: two, seconds: 0) }
        #expect(found.map(\.outcome) == [.passed, .passed, .failed, .passed, .passed])
        #expect(found[2].found.contains("'/k'") && found[4].found == "neither has one")
    }
}

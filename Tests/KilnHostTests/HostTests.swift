import Foundation
import Glibc
import KilnEngine
import KilnModel
import KilnSystem
import Testing

@testable import KilnHost

@Suite("Which hypervisor, which home, which acceleration")
struct HostTests {
    private let owner = MachineOwner(uid: 4242, gid: 4243, name: "kiln")

    private func resolve(
        _ option: String?,
        _ environment: String? = nil,
        _ lab: String? = nil,
        isRoot: Bool = false
    ) throws -> HostConnection {
        let variables = environment.map { ["LIBVIRT_DEFAULT_URI": $0] } ?? [:]
        return try HostConnection.resolve(option: option, environment: variables, lab: lab, isRoot: isRoot)
    }

    @Test("the option comes before the environment, that before the lab file, that before the private daemon")
    func order() throws {
        #expect(try resolve("qemu:///system", "qemu:///session", "test:///default").source == .option)
        #expect(try resolve(nil, "qemu:///session", "test:///default").kind == .session)
        #expect(try resolve("", "", "test:///default").source == .lab)
        let standard = try resolve(nil)
        #expect(standard.kind == .privateDaemon)
        #expect(standard.description == "a private session daemon (the default)")
    }

    @Test(
        "an unacceptable hypervisor is refused and its source named",
        arguments: ["qemu+ssh://host/system", "qemu+ext:///session?command=/bin/sh", "nonsense", "qemu:///embed"]
    )
    func refuses(_ uri: String) {
        let error = #expect(throws: KilnError.self) { try resolve(nil, uri) }
        #expect(error?.code == .connectRefused)
        #expect(error?.message.contains("LIBVIRT_DEFAULT_URI") == true)
    }

    @Test("root's session is refused, unless a socket says whose it is")
    func rootSession() throws {
        #expect(throws: KilnError.self) { try resolve("qemu:///session", isRoot: true) }
        #expect(try resolve("qemu+unix:///session?socket=/s", isRoot: true).kind == .session)
    }

    @Test("definitions name a user only where QEMU would run as another")
    func users() throws {
        let named = MachineSpec.User(uid: 4242, gid: 4243)
        #expect(try resolve(nil).user(owner: owner, isRoot: true) == nil)
        #expect(try resolve("qemu:///session").user(owner: owner, isRoot: false) == nil)
        #expect(try resolve("qemu:///system").user(owner: owner, isRoot: false) == named)
        #expect(try resolve("qemu:///embed?root=/r").user(owner: owner, isRoot: true) == named)
        #expect(try resolve("qemu:///embed?root=/r").user(owner: owner, isRoot: false) == nil)
    }

    @Test("the home is where the environment says, else where the standard says")
    func location() throws {
        #expect(try KilnHome.location(environment: ["KILN_HOME": "/a/../b/"], isRoot: true) == "/b")
        #expect(try KilnHome.location(environment: ["HOME": "/root"], isRoot: true) == "/var/lib/kiln")
        #expect(try KilnHome.location(environment: ["XDG_STATE_HOME": "/s", "HOME": "/h"], isRoot: false) == "/s/kiln")
        #expect(
            try KilnHome.location(environment: ["XDG_STATE_HOME": "s", "HOME": "/h"], isRoot: false)
                == "/h/.local/state/kiln"
        )
        let error = #expect(throws: KilnError.self) {
            try KilnHome.location(environment: ["KILN_HOME": "relative"], isRoot: false)
        }
        #expect(error?.code == .homeRelative)
    }

    @Test("a prepared home has private sockets at a path that fits into an address")
    func prepared() throws {
        let directory = try TestDirectory()
        let me = MachineOwner(uid: geteuid(), gid: getegid(), name: "me")
        let home = directory.path + "/" + String(repeating: "h", count: 100)
        let state = try KilnHome(path: home, owner: me).prepared()
        #expect(directory.mode(String(repeating: "h", count: 100)) == "700")
        let machine = MemberID(lab: try Name("lab"), server: try Name("web")).machine(Generation(1))
        #expect(state.consoleSocket(machine).utf8.count <= UnixSocket.longestPath)
        #expect(FileManager.default.fileExists(atPath: state.sockets))
        HomeAlias(home: home).remove()
    }

    @Test(
        "a home that the machines' user can't reach is refused, naming the closed directory",
        .enabled(if: geteuid() == 0)
    )
    func closed() throws {
        let directory = try TestDirectory()
        chmod(directory.path, 0o700)
        let error = #expect(throws: KilnError.self) {
            try KilnHome(path: directory.path + "/home", owner: owner).prepared()
        }
        #expect(error?.code == .homeClosed)
        #expect(error?.message.contains(directory.path + " ") == true)
    }

    @Test("a node counts as open to the machines' user by its mode, owner and groups, not by what root may do")
    func nodePermissions() throws {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("kiln-node-\(UUID().uuidString)").path
        let node = open(path, O_RDWR | O_CREAT | O_EXCL, 0o600)
        try #require(node >= 0)
        defer {
            close(node)
            unlink(path)
        }
        let stranger = MachineOwner(uid: 54_321, gid: 54_321, name: "nobody-of-that-name")
        fchmod(node, 0o660)
        #expect(!HostAcceleration.isOpen(node, to: stranger))
        fchmod(node, 0o666)
        #expect(HostAcceleration.isOpen(node, to: stranger))
        let owner = MachineOwner(uid: geteuid(), gid: getegid(), name: "root")
        fchmod(node, 0o600)
        #expect(HostAcceleration.isOpen(node, to: owner))
    }

    @Test("KVM counts only where the node opens and the processor announces it")
    func acceleration() {
        #expect(HostAcceleration.judged(nodeError: nil, virtualises: true).acceleration == .kvm)
        #expect(HostAcceleration.judged(nodeError: nil, virtualises: false).acceleration == .tcg)
        let missing = HostAcceleration.judged(nodeError: ENOENT, virtualises: true)
        #expect(missing.acceleration == .tcg)
        #expect(missing.reason == "/dev/kvm can't be opened: No such file or directory")
        #expect(HostAcceleration.announcesVirtualisation("model name\t: x vmx\nflags\t\t: fpu svm sse\n"))
        #expect(!HostAcceleration.announcesVirtualisation("model name\t: vmx\nflags\t\t: fpu svm_lock\n"))
        #expect(HostAcceleration.announcesVirtualisation("flags\t\t: fpu vmx"))
        #expect(
            !HostAcceleration.announcesVirtualisation("vmx flags\t\t: fpu\n")
                && !HostAcceleration.announcesVirtualisation("")
        )
    }

    @Test("only emulated machines have an emulator's faults and words; missing instructions are told on both")
    func platform() throws {
        let (kvm, tcg) = (HostAcceleration.platform(.kvm), HostAcceleration.platform(.tcg))
        #expect(kvm.kernelWords.isEmpty && kvm.crashes.isEmpty && !kvm.isEmulated)
        #expect(
            tcg.kernelWords == ["norandmaps", "no_timer_check"] && tcg.crashes.contains("double fault")
                && tcg.isEmulated
        )
        for platform in [kvm, tcg] {
            let line = "Fatal glibc error: CPU does not support x86-64-v3"
            let sign = try #require(platform.signs.first { line.contains($0.text) })
            #expect(sign.hint.contains("'cpu: x86-64-v3'") && sign.processors == 1)
        }
        #expect(tcg.signs.first { $0.text == "int3:" }?.processors == 2)
    }

    @Test("the forwards of a running machine are read from its monitor's table")
    func forwards() {
        let table = """
            Hub -1 (hostua-net0):\r
              Protocol[State]    FD  Source Address  Port   Dest. Address  Port RecvQ SendQ\r
              TCP[HOST_FORWARD]  32       127.0.0.1 20000       10.0.2.15    80     0     0\r
              TCP[ESTABLISHED]   33       10.0.2.15 40000        10.0.2.2  1234     0     0\r
            """
        let datagrams = "  UDP[HOST_FORWARD]  13       127.0.0.1 20514       10.0.2.15   514     0     0\n"
        #expect(UserNetwork.read(datagrams) == [PortForward(host: 20_514, guest: 514, transport: .udp)])
        #expect(UserNetwork.read(table) == [PortForward(host: 20_000, guest: 80)])
    }
}

import KilnOutside
import Testing

@testable import kiln_hosts

@Suite("Roots, boots and plans")
struct PureTests {
    @Test("a root's key says suite and packages, in whatever order, and nothing else has it")
    func key() {
        let key = HostRoot.key("trixie", ["a", "b"])
        #expect(key == HostRoot.key("trixie", ["b", "a"]) && key.count == 12)
        #expect(key != HostRoot.key("bookworm", ["a", "b"]))
        #expect(key != HostRoot.key("trixie", ["a", "b", "c"]))
        #expect(key != HostRoot.key("trixie", ["ab"]))
    }

    @Test("a boot has come to init once the image's init says so, and not when only its initrd has")
    func reached() {
        let initrd = "kiln-guest: phase=initrd\r\n"
        #expect(BootVerdict.of(initrd, hasEnded: false, isOver: false) == nil)
        #expect(BootVerdict.of(initrd + "kiln-guest: phase=init\r\n", hasEnded: false, isOver: false) == .reachedInit)
    }

    @Test(
        "a guest that panics, falls silent or loses its QEMU has crashed",
        arguments: [
            ("[1.2] traps: PANIC: double fault, error_code: 0x0\r\n", false, false),
            ("kiln-guest: phase=initrd\r\n", false, true),
            ("", false, true), ("kiln-guest: phase=initrd\r\n", true, false),
            ("[    1.9] Kernel panic - not syncing: Fatal exception\n", false, false),
        ]
    )
    func crashed(console: String, hasEnded: Bool, isOver: Bool) {
        guard case .crashed = BootVerdict.of(console, hasEnded: hasEnded, isOver: isOver) else {
            Issue.record("not found: \(console)")
            return
        }
    }

    @Test("a library's folder is found among the files of a process")
    func library() {
        let files = ["/usr/lib/x86_64-linux-gnu/libc.so.6", "/opt/a swift/lib/linux/libswiftCore.so"]
        #expect(Programs.folder(of: "libswiftCore.so", among: files) == "/opt/a swift/lib/linux")
        #expect(Programs.folder(of: "Core.so", among: files) == nil)
    }

    @Test("what was acknowledged must be there once; more may be there")
    func writes() throws {
        try Writer.insist(on: [1, 2, 4], in: "1\n2\n3\n4\n")
        #expect(throws: Failure.self) { try Writer.insist(on: [1, 2, 4], in: "1\n2\n3\n") }
        #expect(throws: Failure.self) { try Writer.insist(on: [1, 2], in: "1\n2\n2\n") }
        // Half a number is another one.
        #expect(throws: Failure.self) { try Writer.insist(on: [1, 12], in: "1\n1\n") }
    }

    @Test("every check has a name of its own, and the quick part is a part for each account")
    func checks() {
        #expect(Set(Check.all.map(\.name)).count == Check.all.count)
        #expect(Check.all.allSatisfy { $0.quick.isSubset(of: $0.accounts) && !$0.accounts.isEmpty })
        for kind in Account.Kind.allCases {
            let quick = Plan(only: [], quick: true, boots: 0).checks(as: kind).map(\.name)
            let all = Plan(only: [], quick: false, boots: 0).checks(as: kind).map(\.name)
            #expect(!quick.isEmpty && quick.count < all.count && Set(quick).isSubset(of: all))
        }
        #expect(
            Plan(only: ["kill"], quick: false, boots: 0).checks(as: .root).map(\.name) == ["bake"]
                + Check.kills.map(\.name)
        )
        // Only the system's own package needs root.
        #expect(Check.all.allSatisfy { $0.accounts.contains(.person) || $0.isOfPackage })
    }
}

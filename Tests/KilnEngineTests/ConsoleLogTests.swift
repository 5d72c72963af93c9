import Foundation
import KilnTestSupport
import Testing

@testable import KilnEngine

@Suite struct ConsoleLogTests {
    private func log(_ bytes: [UInt8], _ body: (ConsoleLog) -> Void) throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/console.log"
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        body(ConsoleLog(path: path))
    }

    @Test(
        "the phase of the boot is read from the console",
        arguments: [
            ("", "firmware or kernel"), ("[    0.000000] Linux version 6.12", "kernel"),
            ("Linux\nsystemd[1]: Inserted module\n", "init"), ("kiln: phase=init\n", "init"),
            ("kiln: phase=cloud-init\n", "cloud-init"),
            (
                "Welcome to Debian\nCloud-init v. 25.1.4 running 'init-local' at\nCloud-init v. 25.1.4 running 'init' at",
                "cloud-init init"
            ),
            ("Cloud-init v. 25.1.4 running 'modules:final' at Mon\nweb login: ", "booted"),
            ("kiln: phase=ready\n", "booted"),
        ]
    )
    func phase(_ text: String, _ phase: String) throws {
        try log(Array(text.utf8)) { #expect($0.phase == phase) }
    }

    @Test(
        "only a crash that comes before anything of init counts as one before it",
        arguments: [
            ("[1.2] PANIC: double fault, error_code: 0x0\n[1.2] Kernel panic\n", true),
            ("[0.1] Linux version 6.12\n[0.9] Oops: int3: 0000\nkiln: phase=init\n", true),
            ("[2.0] Run /init as init process\n[2.1] Oops: 0000\n", false), ("Welcome to Debian\nOops: 0000\n", false),
            ("kiln: phase=init\nOops: 0000\n", false), ("systemd[1]: Started\nOops: 0000\n", false),
            ("Kernel panic - not syncing: VFS: Unable to mount root fs\n", false), ("", false),
        ]
    )
    func crashBeforeInit(_ text: String, _ counts: Bool) throws {
        try log(Array(text.utf8)) { #expect(($0.crashBeforeInit(["double fault", "Oops: "]) != nil) == counts) }
    }

    @Test(
        "cloud-init's beginning and end are told by the console",
        arguments: [
            ("Linux version 6.12\n", false, false), ("kiln-guest: phase=cloud-init\n", true, false),
            ("Cloud-init v. 25.1.4 running 'init' at Mon\n", true, false),
            ("Cloud-init v. 25.1.4 running 'init' at\nCloud-init v. 25.1.4 finished at Mon\n", true, true),
            ("kiln-guest: phase=cloud-init\nkiln-guest: phase=ready status=done\n", true, true),
        ]
    )
    func cloudInit(_ text: String, _ works: Bool, _ hasEnded: Bool) throws {
        try log(Array(text.utf8)) { #expect($0.tellsOfCloudInit == works && $0.tellsOfCloudInitEnd == hasEnded) }
    }

    @Test("no control character of a guest gets through, by any way")
    func hostile() throws {
        let evil = "\u{1b}[2J\u{1b}]0;owned\u{7}\u{9b}31m\r\u{8}\u{0}"
        let text = "Cloud-init v. 1 running '\(evil)modules' at\nKernel panic - not syncing: \(evil)\nend\(evil)"
        try log(Array(text.utf8) + [0xff, 0xfe, 0xc3]) { console in
            for shown in [console.phase, console.fatalLine ?? ""] + console.lastLines(8) {
                #expect(
                    !shown.unicodeScalars.contains { $0.value < 0x20 || (0x7f...0x9f).contains($0.value) },
                    "\(shown.debugDescription)"
                )
            }
            #expect(console.fatalLine?.hasPrefix("Kernel panic - not syncing") == true)
        }
    }

    @Test(
        "what tells that a guest is not to be kept is found, and what is allowed is not",
        arguments: [
            "[    1.2] Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0)",
            "[    9.1] Oops: 0002 [#1] PREEMPT SMP NOPTI",
            "[    9.1] BUG: unable to handle page fault for address: ffffffffc0a0b000",
            "You are in emergency mode. After logging in, type \"journalctl -xb\" to view system logs",
            "[  OK  ] Entering emergency mode. Exit the shell to continue.",
            "[   21.9] EXT4-fs error (device vda): ext4_lookup:1855: inode #12: comm ls: deleted inode referenced: 15",
            "[   33.0] blk_update_request: I/O error, dev vdb, sector 2048 op 0x1:(WRITE) flags 0x800",
            "[   40.2] Out of memory: Killed process 412 (server) total-vm:204800kB, anon-rss:190000kB",
            "[   40.2] Memory cgroup out of memory: Killed process 412 (server) total-vm:204800kB",
        ]
    )
    func fatal(_ line: String) throws {
        let text = "Linux version 6.1.0\n\(line)\nlogin:"
        try log(Array(text.utf8)) { #expect($0.fatalLine?.isEmpty == false) }
        try log(Array(text.utf8)) { console in
            var console = console
            console.allow = [String(line.suffix(20))]
            #expect(console.fatalLine == nil)
        }
        try log(Array("Linux version 6.1.0\nlogin:".utf8)) { #expect($0.fatalLine == nil) }
    }

    @Test("long lines and long logs are cut")
    func long() throws {
        let text = String(repeating: "x", count: 500_000) + "\n" + String(repeating: "y\n", count: 100) + "last"
        try log(Array(text.utf8)) { console in
            #expect(console.lastLines(3) == ["y", "y", "last"])
            #expect(console.lastLines(200).allSatisfy { $0.count <= 160 })
        }
    }

    @Test("a log that is not there says nothing")
    func missing() {
        let console = ConsoleLog(path: "/nonexistent/console.log")
        #expect(console.phase == "firmware or kernel")
        #expect(console.lastLines(3).isEmpty)
        #expect(console.fatalLine == nil)
    }
}

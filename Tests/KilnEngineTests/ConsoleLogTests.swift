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
        "firmware that finds nothing to start is told by its last word, and only as long as nothing else has spoken",
        arguments: [
            ("BdsDxe: failed to load Boot0001 \"UEFI Misc Device\": Not Found\r\n", true),
            ("\u{1b}[2JUEFI Interactive Shell v2.2\r\nShell> ", true),
            ("BdsDxe: failed to load Boot0001\nBdsDxe: starting Boot0002 \"UEFI Misc Device 2\"\n", false),
            ("BdsDxe: failed to load Boot0001\nGRUB loading.\n[    0.000000] Linux version 6.1\n", false),
            ("BdsDxe: loading Boot0002\n", false), ("", false), ("web login: Shell> BdsDxe: failed to load", false),
        ]
    )
    func firmware(_ text: String, _ complains: Bool) throws {
        try log(Array(text.utf8)) { log in
            #expect((log.firmwareComplaint != nil) == complains)
            if complains { #expect(log.phase == "firmware") }
        }
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
        let text =
            "Cloud-init v. 1 running '\(evil)modules' at\n[    1.2] Kernel panic - not syncing: \(evil)\nend\(evil)"
        try log(Array(text.utf8) + [0xff, 0xfe, 0xc3]) { console in
            for shown in [console.phase, console.fatalLine ?? ""] + console.lastLines(8) {
                #expect(
                    !shown.unicodeScalars.contains { $0.value < 0x20 || (0x7f...0x9f).contains($0.value) },
                    "\(shown.debugDescription)"
                )
            }
            #expect(console.fatalLine?.hasPrefix("[    1.2] Kernel panic - not syncing") == true)
        }
    }

    @Test(
        "what tells that a guest is not to be kept is found, and what is allowed is not",
        arguments: [
            "[    1.204882] Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0)",
            "[    1.204882][    T1] Kernel panic - not syncing: Attempted to kill init! exitcode=0x00000100",
            "debian login: [   61.020113] Kernel panic - not syncing: sysrq triggered crash",
            "root@debian:~# [   61.020113] Oops: 0000 [#1] PREEMPT SMP",
            "[***   ] A start job is running for web (5s / 1min 30s)[    9.100001] Oops: 0002 [#1] PREEMPT SMP NOPTI",
            "[    9.100001] Oops: 0002 [#1] PREEMPT SMP NOPTI",
            "[    9.100001] Internal error: Oops: 96000004 [#1] SMP",
            "[    9.100001] BUG: unable to handle page fault for address: ffffffffc0a0b000",
            "You are in emergency mode. After logging in, type \"journalctl -xb\" to view system logs",
            "\u{1b}[0;1;31mYou are in emergency mode. After logging in, type \"journalctl -xb\" to view",
            "[  OK  ] Entering emergency mode. Exit the shell to continue.",
            "[   21.900001] EXT4-fs error (device vda): ext4_lookup:1855: inode #12: comm ls: deleted inode referenced: 15",
            "[   33.000001] blk_update_request: I/O error, dev vdb, sector 2048 op 0x1:(WRITE) flags 0x800",
            "[   33.000001] I/O error, dev vda, sector 4098 op 0x0:(READ) flags 0x0 phys_seg 1 prio class 2",
            "[   33.000001] Buffer I/O error on dev vdb, logical block 0, lost async page write",
            "[   33.000001] XFS (vdb): log I/O error -5",
            "[   33.000001] EXT4-fs (vdb): I/O error while writing superblock",
            "[   40.200001] Out of memory: Killed process 412 (server) total-vm:204800kB, anon-rss:190000kB",
            "[   40.200001] Memory cgroup out of memory: Killed process 412 (server) total-vm:204800kB",
            "kiln-guest: unguarded mount points: /data: no chattr",
            "web login: kiln-guest: unguarded mount points: /data: no chattr",
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

    @Test(
        "what a program prints fails no machine, whatever words it uses",
        arguments: [
            "Kernel panic - not syncing: just a drill", "app: Kernel panic - not syncing", "Oops: wrong button",
            "[   12.345678] app[501]: Kernel panic - not syncing: says journald of a program",
            "[   12.345678] cloud-init[501]: dd: error reading '/dev/sr0': I/O error",
            "[   12.345678] app: I/O error on the network, trying again",
            "2026-01-01 12:00:00 ERROR I/O error, dev mode is on", "cat: /data/x: Input/output error: I/O error",
            "Runbook: if you see 'You are in emergency mode. After logging in', call somebody",
            "the app is in emergency mode", "You are in emergency mode of the pump",
            "last boot said '[    1.204882] Kernel panic - not syncing: VFS'",
            "kernel: [    1.204882] Kernel panic - not syncing: VFS",
            "tests: 12 passed (BUG: unable to handle nil is fixed)", "java: Out of memory: Killed process of the user",
            "Runbook: kiln-guest: unguarded mount points: call somebody",
            "[   12.345678] app[501]: kiln-guest: unguarded mount points: says journald of a program",
            "app='kiln-guest: unguarded mount points: none'",
        ]
    )
    func harmless(_ line: String) throws {
        try log(Array("[    0.000000] Linux version 6.1.0\n\(line)\nlogin:".utf8)) { #expect($0.fatalLine == nil) }
    }

    @Test("a fatal line is found however much came before it, and whenever it comes")
    func chatty() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/console.log"
        let chatter = Data(String(repeating: String(repeating: "x", count: 99) + "\n", count: 45_000).utf8)
        try chatter.write(to: URL(fileURLWithPath: path))
        let console = ConsoleLog(path: path)
        #expect(console.fatalLine == nil)
        let file = try #require(FileHandle(forWritingAtPath: path))
        defer { try? file.close() }
        try file.seekToEnd()
        // More than is read at once; the line lies across an end of what is.
        try file.write(contentsOf: chatter)
        let panic = "[    9.1] Kernel panic - not syncing: late"
        try file.write(contentsOf: Data(panic.prefix(20).utf8))
        #expect(console.fatalLine == nil)
        try file.write(contentsOf: Data((panic.dropFirst(20) + "\nmore\n").utf8))
        #expect(console.fatalLine == panic)
        // It stays, also for who begins to look now.
        #expect(console.fatalLine == panic)
        #expect(ConsoleLog(path: path).fatalLine == panic)
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

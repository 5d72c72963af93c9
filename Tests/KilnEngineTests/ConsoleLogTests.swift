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

import Testing

@testable import KilnHost

@Suite("What libvirt keeps of a machine's QEMU")
struct ProcessLogTests {
    private static let start = """
        2026-01-31 10:20:30.123+0000: starting up libvirt version: 9.0.0, qemu version: 7.2.22, hostname: host
        LC_ALL=C \\
        /usr/bin/qemu-system-x86_64 \\
        -name guest=kiln.lab.web.1,debug-threads=on \\
        -msg timestamp=on

        """
    private static let stamp = "2026-01-31T10:21:30.123456Z "

    private func lastWords(_ lines: String...) -> String? {
        ProcessLog.lastWords(in: Self.start + lines.map { $0 + "\n" }.joined())
    }

    @Test("QEMU's last line is found among libvirt's own, without its time")
    func found() {
        let words = "qemu-system-x86_64: terminating on signal 15 from pid 7 (/usr/bin/kill)"
        let found = lastWords(
            "2026-01-31 10:20:31.123+0000: Domain id=2 is tainted: custom-monitor",
            Self.stamp + words,
            "2026-01-31 10:21:31.123+0000: shutting down, reason=shutdown"
        )
        #expect(found == words)
        // What a library says before it aborts has no time.
        #expect(
            lastWords(Self.stamp + words, "double free or corruption (out)", "") == "double free or corruption (out)"
        )
    }

    @Test("the command, warnings, and what an earlier start said are no last words")
    func none() {
        #expect(lastWords() == nil)
        #expect(ProcessLog.lastWords(in: "") == nil)
        #expect(lastWords("2026-01-31 10:21:31.123+0000: shutting down, reason=crashed") == nil)
        #expect(lastWords(Self.stamp + "qemu-system-x86_64: warning: TCG doesn't support requested feature") == nil)
        // Libvirt ends QEMU so once the guest has shut down.
        let ended = "qemu-system-x86_64: terminating on signal 15 from pid 7 (/usr/sbin/libvirtd)"
        #expect(lastWords(Self.stamp + ended) == nil)
        #expect(lastWords(Self.stamp + "qemu-system-x86_64: of the first start", String(Self.start.dropLast())) == nil)
        // One whose beginning was cut off, in the middle of the command.
        #expect(ProcessLog.lastWords(in: "evice virtio \\\n-msg timestamp=on\n") == nil)
        #expect(ProcessLog.lastWords(in: "evice virtio \\") == nil)
    }

    @Test("a template is at fault where QEMU lives, or says that it can't read it; not where the host ended QEMU")
    func templates() {
        let said = lastWords(
            Self.stamp + "qemu-system-x86_64: Missing section footer for 0000:00:03.0/virtio-rng",
            Self.stamp + "qemu-system-x86_64: load of migration failed: Invalid argument",
            "2026-01-31 10:21:31.123+0000: shutting down, reason=failed"
        )
        #expect(LibvirtMachines.isTemplateAtFault(hasEnded: true, lastWords: said))
        #expect(LibvirtMachines.isTemplateAtFault(hasEnded: false, lastWords: nil))
        let killed = lastWords("2026-01-31 10:21:31.123+0000: shutting down, reason=crashed")
        #expect(!LibvirtMachines.isTemplateAtFault(hasEnded: true, lastWords: killed))
        let refused = Self.stamp + "qemu-system-x86_64: cannot set up guest memory 'ram': Cannot allocate memory"
        #expect(!LibvirtMachines.isTemplateAtFault(hasEnded: true, lastWords: lastWords(refused)))
    }

    @Test("a line is short, and holds nothing that a terminal would obey")
    func hostile() throws {
        let escaped = try #require(lastWords("a\u{1b}[2Jb"))
        #expect(escaped == "a\u{fffd}[2Jb")
        #expect(lastWords(String(repeating: "x", count: 5_000))?.count == 201)
    }

    @Test("each kind of hypervisor keeps it in its own place, and the test driver nowhere")
    func places() throws {
        func place(_ uri: String?, _ environment: [String: String] = [:]) throws -> String? {
            let connection = try HostConnection.resolve(option: uri, environment: [:], lab: nil, isRoot: false)
            return connection.processLogs(home: "/kiln", environment: environment)
        }
        #expect(try place(nil) == "/kiln/daemon/cache/libvirt/qemu/log")
        #expect(try place("qemu:///system") == "/var/log/libvirt/qemu")
        #expect(try place("qemu:///session", ["HOME": "/home/me"]) == "/home/me/.cache/libvirt/qemu/log")
        #expect(try place("qemu:///session", ["XDG_CACHE_HOME": "/cache"]) == "/cache/libvirt/qemu/log")
        #expect(try place("test:///default") == nil)
    }
}

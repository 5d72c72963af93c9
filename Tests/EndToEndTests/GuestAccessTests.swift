import Foundation
import KilnModel
import Testing

extension EndToEnd {
    @Suite("In and out of a guest", .lane, .serialized, .timeLimit(.minutes(10)))
    struct GuestAccess {
        @Test("files, logs and the console cross unharmed and harmless")
        func crossing() async throws {
            let home = try #require(Home.shared)
            let listener = try Listener()
            try await home.withLab("access") { lab in
                try await lab.upOrFail()
                try await expectCopies(lab)
                try await expectFolders(lab)
                try await expectEscapes(lab)
                // An open network reaches the host's loopback as 10.0.2.2.
                #expect(try await lab.shell(Self.visit(listener)) == "hello")
            }
            withExtendedLifetime(listener) {}
        }

        private static func visit(_ listener: Listener) -> String {
            "nc -w 5 10.0.2.2 \(listener.port) </dev/null 2>/dev/null || echo no way"
        }

        private func expectCopies(_ lab: Lab) async throws {
            let (there, back) = (lab.home.path + "/there", lab.home.path + "/back")
            let bytes = Data((0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 31 ^ $0 >> 8) })
            try bytes.write(to: URL(fileURLWithPath: there))
            let put = try await lab.home.run("cp", there, "\(lab.web):/root/a file")
            #expect(put.status == 0, "\(put.errors)")
            #expect(try await lab.shell("wc -c <'/root/a file'") == "300000")
            #expect(try await lab.home.run("cp", "\(lab.web):/root/a file", back).status == 0)
            #expect(try Data(contentsOf: URL(fileURLWithPath: back)) == bytes)
            #expect(try await lab.home.run("cp", "\(lab.web):/nowhere", back).exit == .usage)
            let reader = ["exec", "-i", lab.web, "--", "sh", "-c", "cat; exit 7"]
            let piped = try await lab.home.run(reader, input: "through\n")
            #expect(piped.status == 7 && piped.text == "through\n")
            // More than an agent carries at once, both ways; and nothing of it stays in the guest but what this very command needs.
            let script = "seq 1 1000000; exit 9"
            let flood = try await lab.home.run("exec", "--timeout", "5m", lab.web, "--", "sh", "-c", script)
            #expect(flood.status == 9 && flood.text == (1...1_000_000).map { "\($0)\n" }.joined())
            let counter = ["exec", "-i", "--timeout", "5m", lab.web, "--", "wc", "-c"]
            let counted = try await lab.home.run(counter, input: String(repeating: "x", count: 5_000_000))
            #expect(counted.status == 0 && counted.text.contains("5000000"), "\(counted.errors)")
            #expect(try await lab.shell("ls /run /tmp | grep -c kiln-exec") == "1")
            let unread = try await lab.home.run(["exec", lab.web, "--", "cat"], input: "the rest of a script\n")
            #expect(unread.status == 0 && unread.text.isEmpty)
        }

        private func expectFolders(_ lab: Lab) async throws {
            let (site, back) = (lab.home.path + "/site", lab.home.path + "/site-back")
            try FileManager.default.createDirectory(atPath: site + "/sub", withIntermediateDirectories: true)
            try Data("content".utf8).write(to: URL(fileURLWithPath: site + "/sub/a file"))
            symlink("/etc/passwd", site + "/out")
            let put = try await lab.home.run("cp", "-r", site, "\(lab.web):/root")
            #expect(put.status == 0, "\(put.errors)")
            #expect(try await lab.shell("cat '/root/site/sub/a file'; readlink /root/site/out") == "content/etc/passwd")
            #expect(try await lab.home.run("cp", "-r", site, "\(lab.web):/root").exit == .usage)
            let got = try await lab.home.run("cp", "-r", "\(lab.web):/root/site", back)
            #expect(got.status == 0, "\(got.errors)")
            #expect(try String(contentsOfFile: back + "/sub/a file", encoding: .utf8) == "content")
            #expect(try FileManager.default.destinationOfSymbolicLink(atPath: back + "/out") == "/etc/passwd")
            // An agent that opens a FIFO answers nobody any more.
            try await lab.shell("mkfifo /root/site/fifo")
            for line in [
                ["cp", "\(lab.web):/root/site/fifo", back], ["cp", "-r", "\(lab.web):/root/site", back + "2"],
            ] {
                let odd = try await lab.home.run(line)
                #expect(odd.exit == .usage && odd.errors.contains("fifo"), "\(odd.errors)")
            }
            #expect(
                try await lab.shell("ls -a /root | grep -c kiln-cp || true; ls /var/tmp /tmp | grep -c kiln-cp || true")
                    == "0\n0"
            )
        }

        private func expectEscapes(_ lab: Lab) async throws {
            let console = try lab.home.start(["console", lab.web])
            let hostile = #"printf 'start\033]0;title\007\033[2J\233end\n' >/dev/console"#
            try await lab.shell("sleep 1; \(hostile)")
            try await eventually("the console shows it: \(console.output)") { console.output.contains("end") }
            console.send(SIGINT)
            let shown = try await console.finish(within: .seconds(20))
            for text in [shown.out, try await lab.home.run("logs", lab.web, "--source", "console").out] {
                let line = try #require(text.split(separator: 10).first { $0.range(of: Data("start".utf8)) != nil })
                #expect(line.allSatisfy { $0 >= 0x20 && $0 < 0x7f || $0 > 0xa0 || $0 == 0x0d }, "\(Array(line))")
            }
            let raw = try await lab.home.run("logs", lab.web, "--raw").out
            #expect(raw.range(of: Data("\u{1b}]0;title".utf8)) != nil)
        }

        @Test("the trace has calls, programs and agent commands, and no secret of user-data, arguments, input or files")
        func trace() async throws {
            let home = try #require(Home.shared)
            let secrets = (0..<4).map { "secret-\($0)-\(UInt64.random(in: .min ... .max))" }
            let userData = "\nuser-data:\n  write_files:\n    - { path: /root/given, content: \(secrets[0]) }"
            try await home.withLab("traced", server: Home.plainServer + userData) { lab in
                let file = home.path + "/secret"
                try Data(secrets[3].utf8).write(to: URL(fileURLWithPath: file))
                var trace = try await home.run("up", "--debug", "-f", lab.file).errors
                let piped = ["exec", "--stdin", "--debug", lab.web, "--", "sh", "-c", "cat; echo \(secrets[1])"]
                let answer = try await home.run(piped, input: secrets[2])
                #expect(answer.text == "\(secrets[2])\(secrets[1])\n")
                trace += answer.errors
                trace += try await home.run("cp", "--debug", file, "\(lab.web):/root/secret").errors
                #expect(try await lab.shell("cat /root/given /root/secret") == secrets[0] + secrets[3])
                for part in [
                    "libvirt connect to", "libvirt define domain on", "libvirt start domain", "agent guest-exec '",
                    "agent guest-file-write '", "program qemu-img", "program xorriso", "outcome=ok",
                ] { #expect(trace.contains(part), "\(part)") }
                for secret in secrets {
                    #expect(!trace.contains(secret) && !trace.contains(Data(secret.utf8).base64EncodedString()))
                }
            }
        }

        @Test("text of user-data reaches the guest byte for byte, with whatever characters it has")
        func characters() async throws {
            let home = try #require(Home.shared)
            let text = "é\u{85}\u{2028}\u{2029}\u{feff}\u{1f600}\t\r\n --- % ${HOME} MIME-Version: 1.0 end \n\n"
            let quoted = String(decoding: try JSONEncoder().encode(text), as: UTF8.self)
            let userData = "\nuser-data:\n  write_files:\n    - { path: /root/given, content: \(quoted) }"
            try await home.withLab("characters", server: Home.plainServer + userData) { lab in
                try await lab.upOrFail()
                let back = home.path + "/given"
                #expect(try await home.run("cp", "\(lab.web):/root/given", back).status == 0)
                #expect(try Data(contentsOf: URL(fileURLWithPath: back)) == Data(text.utf8))
            }
        }

        @Test("an isolated guest reaches neither the host nor anything else, and its published port is reached")
        func isolation() async throws {
            let home = try #require(Home.shared)
            let listener = try Listener()
            try await home.withLab("isolated", server: Home.plainServer + "\nnetwork: isolated") { lab in
                // Its readiness is an answer through the published port.
                try await lab.upOrFail()
                #expect(try await lab.shell(Self.visit(listener)) == "no way")
            }
            withExtendedLifetime(listener) {}
        }
    }
}

import ArgumentParser
import KilnEngine
import KilnModel
import Testing

@testable import KilnCLI

@Suite("Command lines")
struct VerbParsingTests {
    @Test(
        "every verb is understood",
        arguments: [
            ["init"], ["init", "lab.yaml"], ["up"], ["up", "web", "db", "-f", "lab.yaml"], ["up", "--file", "x.yaml"],
            ["ps"], ["ps", "shop", "--format", "json"], ["exec", "web", "--", "ls", "-l"],
            ["exec", "shop/web", "--timeout", "90s", "--quiet", "--", "true"], ["cp", "a", "web:/b"],
            ["cp", "web:/b", "-"], ["cp", "-r", "a", "web:/b"],
            ["cp", "--recursive", "web:/b", "-"], ["logs", "web"],
            ["logs", "web", "--source", "qemu", "--follow", "--raw"],
            ["logs", "web", "--source", "cloud-init"], ["console", "web"], ["ssh", "web"],
            ["ssh", "web", "--user", "root", "--", "uname", "-a"], ["wait", "web", "--timeout", "5m"],
            ["stop", "web", "--force"], ["start", "web"], ["replace", "web"],
            ["replace", "web", "--image", "tiny:2", "--format", "json"], ["recover"], ["recover", "web", "--dry-run"],
            ["recover", "web", "--data", "restore"], ["ps", "--due"], ["rollback", "web"],
            [
                "replace", "web", "--strategy", "warm-first", "--data-on-revert", "restore", "--force-stop",
                "--rehearse",
            ],
            ["rollback", "shop/web", "--to", "3", "--strategy", "stop-first", "--data-on-revert", "keep"],
            ["history", "web"], ["report", "web", "--html", "a.html", "--open"],
            ["run", "a", "--junit", "b.xml", "--html", "c"],
            ["show", "shop/web", "--format", "json"], ["drift", "web"],
            ["drift", "shop/web", "--generation", "3", "--format", "json"], ["down"], ["down", "shop"],
            ["down", "-f", "lab.yaml"],
            ["run", "s.yaml", "--format", "json", "--keep-on-failure"], ["scenario", "lint", "a.yaml", "b.yaml"],
            ["demo"], ["run", "replace-keeps-data"], ["scenario", "list"], ["image", "bake", "--folder", "x", "tiny"],
            ["schema"], ["schema", "recipe"], ["schema", "lesson"], ["learn"], ["learn", "list", "--format", "json"],
            ["learn", "start", "snowflake"], ["learn", "check"], ["learn", "hint"], ["learn", "solve"],
            ["learn", "next"],
            ["learn", "reset"], ["learn", "lint", "a", "b"], ["image", "lint", "tiny", "a/image.yaml"],
            ["image", "list"],
            ["image", "bake", "tiny", "debian-13"], ["image", "bake", "tiny", "--no-test"],
            ["image", "gc", "--dry-run"], ["image", "test", "tiny"],
            ["image", "test", "tiny:1", "--junit", "junit.xml", "--all", "--format", "json"],
            ["image", "add", "x.qcow2", "--as", "mine:1"], ["image", "verify"], ["image", "delete", "tiny:1"],
            ["image", "show", "tiny@stable"], ["image", "history", "tiny"], ["image", "diff", "tiny:1", "tiny:2"],
            ["image", "sbom", "tiny"], ["image", "du"], ["image", "gc"], ["image", "gc", "--explain", "tiny:1"],
            ["image", "prune", "--yes"], ["image", "promote", "tiny:1", "--to", "stable"],
            ["image", "promote", "tiny", "--to", "stable", "--back"], ["image", "channels"],
            ["image", "channels", "tiny"], ["image", "revoke", "tiny:1", "--why", "a hole", "--descendants"],
            ["image", "restore", "tiny:1"], ["image", "export", "tiny:1", "x.tar"], ["image", "import", "x.tar"],
            [
                "image", "add", "https://a.example/x.xz", "--as", "mine:1", "--sums", "https://a.example/SHA512SUMS",
                "--sha256", "00", "--sha512", "00", "--firmware", "uefi", "--offline",
            ],
            ["image", "bake", "tiny", "--version", "1", "--again"], ["image", "build", "tiny", "--from-step", "2"],
            ["image", "enter", "tiny:1"],
            ["volume", "list"], ["volume", "list", "--retained"],
            ["volume", "show", "shop/data"], ["volume", "snapshot", "shop/data"],
            ["volume", "snapshot", "shop/data", "monday"], ["volume", "snapshot", "shop/data", "monday", "--remove"],
            ["volume", "restore", "shop/data", "monday"], ["volume", "clone", "shop/data", "copy"],
            ["volume", "check", "shop/data", "--repair"], ["volume", "grow", "shop/data", "2GiB"],
            ["volume", "export", "shop/data", "x.raw", "--as", "raw", "--format", "json"],
            ["volume", "import", "x.raw", "shop/data"], ["volume", "undelete", "shop.data.1", "shop/other"],
            ["volume", "purge", "shop.data.1", "--yes"], ["volume", "delete", "shop/data", "--yes"],
            ["doctor", "--connect", "test:///default"],
            ["gc", "--dry-run"], ["lock"], ["lock", "s.yaml"], ["up", "--locked"], ["run", "s.yaml", "--locked"],
            ["replace", "web", "--locked", "-f", "lab.yaml"],
            ["autopilot", "shop"], ["autopilot", "shop", "--dry-run", "--format", "ndjson"],
            ["autopilot", "shop", "--once", "--format", "json"],
        ]
    )
    func understood(_ arguments: [String]) throws {
        let command = try KilnCommand.parseAsRoot(arguments)
        #expect(command is any Verb)
    }

    @Test(
        "a mistake is a usage error, exit 64",
        arguments: [
            ["frobnicate"], ["exec", "web"], ["exec", "web", "ls"], ["cp", "a", "b"], ["cp", "-r", "web@1:/b", "a"],
            ["cp", "web:/a", "db:/b"],
            ["down", "shop", "-f", "lab.yaml"], ["logs", "web", "--source", "syslog"],
            ["logs", "web", "--source", "cloud-init", "--follow"], ["logs", "web", "--format", "json"],
            ["wait", "web", "--timeout", "90"], ["ps", "--format", "yaml"],
            ["ssh", "web", "--user", "-oProxyCommand=x"],
            ["ssh", "web", "--user", "a@b"], ["replace"], ["rollback"], ["rollback", "web", "--to", "0"],
            ["rollback", "web", "--image", "tiny:1"],
            ["replace", "web", "--strategy", "warm"], ["recover", "--data", "keep"],
            ["recover", "web", "--data", "keep", "--dry-run"], ["image", "bake"], ["image", "lint"], ["image", "test"],
            ["replace", "web", "-f", "lab.yaml"], ["image", "promote", "tiny:1"],
            ["image", "promote", "tiny", "--to", "Stable"],
            ["image", "revoke", "tiny:1"], ["image", "diff", "tiny:1"], ["image", "export", "tiny:1"],
            ["image", "add", "x.qcow2"], ["image", "add", "x.qcow2", "--as", "mine:1", "--firmware", "efi"],
            ["image", "bake", "tiny", "--again", "--from-step", "2"], ["image", "enter"],
            ["schema", "labs"], ["learn", "start"], ["learn", "lint"], ["volume", "delete"],
            ["volume", "snapshot", "data"], ["volume", "snapshot", "shop/data", "--remove"],
            ["volume", "snapshot", "../x/y"], ["volume", "grow", "shop/data", "2G"],
            ["volume", "export", "shop/data", "x", "--as", "vmdk"], ["autopilot"],
            ["autopilot", "shop", "--format", "json"],
        ]
    )
    func mistake(_ arguments: [String]) {
        #expect { try KilnCommand.parseAsRoot(arguments) } throws: { KilnCommand.exitCode(for: $0).rawValue == 64 }
    }

    @Test("what a replacement is told reaches the engine")
    func replacementOptions() throws {
        let line = [
            "replace", "web", "--strategy", "warm-first", "--data-on-revert", "restore", "--force-stop", "--rehearse",
        ]
        let options = try #require(try KilnCommand.parseAsRoot(line) as? ReplaceVerb).options.engineOptions()
        #expect(options.strategy == .warmFirst && options.dataOnRevert == .restore)
        #expect(options.forceStop && options.rehearsesFirst && options.image == nil)
        let plain = try #require(try KilnCommand.parseAsRoot(["rollback", "web"]) as? RollbackVerb).options
            .engineOptions()
        #expect(plain.strategy == nil && plain.dataOnRevert == .keep && !plain.forceStop && !plain.rehearsesFirst)
    }

    @Test("the word of before is refused with the word of today")
    func renamedOption() {
        #expect {
            try KilnCommand.parseAsRoot(["replace", "web", "--canary"])
        } throws: {
            KilnCommand.message(for: $0).contains("--rehearse") && KilnCommand.exitCode(for: $0).rawValue == 64
        }
    }

    @Test("what follows -- reaches the command in the guest untouched")
    func terminator() throws {
        let verb = try #require(
            try KilnCommand.parseAsRoot(["exec", "web", "--", "sh", "-c", "a; b", "--format"]) as? ExecVerb
        )
        #expect(verb.command == ["sh", "-c", "a; b", "--format"])
        #expect(verb.global.format == .table)
    }

    @Test("JSON is asked for only before --, with either spelling")
    func wantsJSON() {
        #expect(KilnCommand.wantsJSON(["ps", "--format", "json"]))
        #expect(KilnCommand.wantsJSON(["ps", "--format=json"]))
        #expect(!KilnCommand.wantsJSON(["exec", "web", "--", "x", "--format", "json"]))
        #expect(!KilnCommand.wantsJSON(["ps", "json"]))
    }

    @Test("a completion script is there for every shell", arguments: CompletionShell.allCases)
    func completion(_ shell: CompletionShell) {
        let script = KilnCommand.completionScript(for: shell)
        #expect(script.contains("replace"))
        #expect(script.contains("---completion"))
    }

    @Test(
        "a duration has a unit",
        arguments: [
            ("90s", Duration.seconds(90)), ("5m", .seconds(300)), ("250ms", .milliseconds(250)), ("2h", .seconds(7200)),
        ]
    )
    func patience(_ text: String, _ duration: Duration) {
        #expect(Patience(argument: text)?.duration == duration)
    }

    @Test("anything else is no duration", arguments: ["", "s", "90", "-1s", "0s", "1.5s", "1 s", "٣s", "99999999999s"])
    func noPatience(_ text: String) { #expect(Patience(argument: text) == nil) }

    @Test(
        "a side of a copy is a server only with an absolute path in it",
        arguments: [
            ("web:/etc/hosts", CopySide.guest(server: "web", path: "/etc/hosts")),
            ("shop/web@3:/a b", CopySide.root(server: "shop/web", generation: Generation(3), path: "/a b")),
            ("web@0:/a", CopySide.guest(server: "web@0", path: "/a")),
            ("shop/web:/a:/b", .guest(server: "shop/web", path: "/a:/b")), ("./web:/a", .host("./web:/a")),
            ("/web:/a", .host("/web:/a")), ("web:a", .host("web:a")), ("-", .host("-")),
        ]
    )
    func copySide(_ text: String, _ side: CopySide) { #expect(CopySide(text) == side) }
}

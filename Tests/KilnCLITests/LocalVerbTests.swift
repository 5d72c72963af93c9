import ArgumentParser
import Foundation
import KilnDocuments
import KilnEngine
import KilnModel
import KilnScenarios
import Testing

@testable import KilnCLI

@Suite("Verbs that need no hypervisor")
struct LocalVerbTests {
    @Test("the starter file is a valid lab, and is never overwritten")
    func starter() async throws {
        try await Fixtures.withDirectory { directory in
            let path = directory + "/kiln.yaml"
            try StarterLab.write(to: path)
            #expect(try ScenarioFile.lab(at: path).lab.servers.count == 1)
            try Data("mine".utf8).write(to: URL(fileURLWithPath: path))
            #expect { try StarterLab.write(to: path) } throws: { ($0 as? KilnError)?.code == .initExists }
            #expect(try String(contentsOfFile: path, encoding: .utf8) == "mine")
        }
    }

    @Test("lint prints every problem of every file and exits 65")
    func lint() async throws {
        try await Fixtures.withDirectory { directory in
            let good = directory + "/good.yaml"
            let bad = directory + "/bad.yaml"
            try StarterLab.write(to: good)
            try Data("kiln: 1\nname: Bad\nlab: { servers: {} }\n".utf8).write(to: URL(fileURLWithPath: bad))
            let recorded = RecordedSession()
            let verb = try #require(try KilnCommand.parseAsRoot(["scenario", "lint", good, bad]) as? ScenarioLintVerb)
            #expect(await verb.status(in: recorded.session()) == 65)
            #expect(recorded.output.contains("bad.yaml:2:7: name:"))
            let clean = RecordedSession()
            let ok = try #require(try KilnCommand.parseAsRoot(["scenario", "lint", good]) as? ScenarioLintVerb)
            #expect(await ok.status(in: clean.session()) == 0)
            #expect(clean.output == "1 file without problems\n")
        }
    }

    @Test("lint prints what can't be known as a warning, for programs too, and exits 0")
    func lintWarns() async throws {
        try await Fixtures.withDirectory { directory in
            let path = directory + "/lab.yaml"
            let server = "{ image: i, user-data: { runcmd: ['mke2fs $d'] } }"
            let lab = Data("kiln: 1\nname: a\nlab: { servers: { web: \(server) } }\n".utf8)
            try lab.write(to: URL(fileURLWithPath: path))
            let recorded = RecordedSession()
            let verb = try #require(try KilnCommand.parseAsRoot(["scenario", "lint", path]) as? ScenarioLintVerb)
            #expect(await verb.status(in: recorded.session()) == 0)
            #expect(recorded.output.contains("warning: ") && recorded.output.contains("1 file without problems\n"))
            let result = await LintResult(labs: [path], cloudInit: CloudInitSchema(program: nil)).payload
            #expect(result.problems.isEmpty && result.warnings.map(\.path) == ["lab.servers.web.user-data.runcmd[0]"])
        }
    }

    @Test("recipes are linted by name, folder or file, with every problem of all of them")
    func imageLint() async throws {
        try await Fixtures.withDirectory { directory in
            let file = directory + "/web/image.yaml"
            try FileManager.default.createDirectory(atPath: directory + "/web", withIntermediateDirectories: false)
            try Data("kiln-image: 1\nname: Bad\n".utf8).write(to: URL(fileURLWithPath: file))
            for recipe in ["web", directory + "/web", file] {
                let recorded = RecordedSession()
                let line = ["image", "lint", recipe, "--folder", directory]
                let verb = try #require(try KilnCommand.parseAsRoot(line) as? ImageLintVerb)
                #expect(await verb.status(in: recorded.session()) == 65)
                #expect(recorded.output.contains(file + ":2:7: name:"), "\(recorded.output)")
            }
            let images = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
                .deletingLastPathComponent().appending(path: "Images").path
            let clean = RecordedSession()
            let line = ["image", "lint", "tiny", "debian-13", "--folder", images]
            let ok = try #require(try KilnCommand.parseAsRoot(line) as? ImageLintVerb)
            #expect(await ok.status(in: clean.session()) == 0)
            #expect(clean.output == "2 files without problems\n")
        }
    }

    @Test("a lint that is given a file of the other kind names the lint for it")
    func otherLint() async throws {
        try await Fixtures.withDirectory { directory in
            let recipe = directory + "/image.yaml"
            let lab = directory + "/lab.yaml"
            try Data("kiln-image: 1\nname: web\n".utf8).write(to: URL(fileURLWithPath: recipe))
            try StarterLab.write(to: lab)
            let given = [
                (["scenario", "lint", recipe], "'kiln image lint "), (["image", "lint", lab], "'kiln scenario lint "),
            ]
            for (line, expected) in given {
                let recorded = RecordedSession()
                let verb = try #require(try KilnCommand.parseAsRoot(line) as? any Verb)
                #expect(await verb.status(in: recorded.session()) == 65)
                #expect(recorded.output.contains(expected) && recorded.output.split(separator: "\n").count == 1)
            }
        }
    }

    @Test("there is a schema for labs, which is the usual one, and one for recipes")
    func schemas() async throws {
        for (line, title) in [
            (["schema"], "lab or scenario"), (["schema", "lab"], "lab or"), (["schema", "recipe"], "recipe"),
        ] {
            let recorded = RecordedSession()
            let verb = try #require(try KilnCommand.parseAsRoot(line) as? SchemaVerb)
            #expect(await verb.status(in: recorded.session()) == 0)
            #expect(recorded.output.contains("\"title\" : \"Kiln \(title)"))
        }
    }

    @Test("lint asks the host's cloud-init for what its schema says of user-data")
    func lintSchema() async throws {
        try await Fixtures.withDirectory { directory in
            let path = directory + "/lab.yaml"
            let lab = "kiln: 1\nname: a\nlab: { servers: { web: { image: i, user-data: { ntp: 5 } } } }\n"
            try Data(lab.utf8).write(to: URL(fileURLWithPath: path))
            let program = directory + "/cloud-init"
            let script = """
                #!/bin/sh
                [ "$1 $2" = "schema -c" ] && grep -q '"ntp":5' "$3" || exit 0
                printf 'Error:\\nCloud config schema errors: ntp: 5 is not an object\\n\\nError: Invalid schema\\n' >&2
                exit 1
                """
            try Data(script.utf8).write(to: URL(fileURLWithPath: program))
            chmod(program, 0o755)
            let result = await LintResult(labs: [path], cloudInit: CloudInitSchema(program: program)).payload
            #expect(result.warnings.map(\.message) == ["cloud-init's schema: ntp: 5 is not an object"])
            #expect(result.problems.isEmpty && result.warnings.first?.path == "lab.servers.web.user-data")
            #expect(result.notes.isEmpty)
        }
    }

    @Test("lint asks cloud-init for each cloud-config of a message or an archive, and says once where it could not ask")
    func lintParts() async throws {
        try await Fixtures.withDirectory { directory in
            let archive = "#cloud-config-archive\n- { type: text/cloud-config, content: 'ntp: 5' }\n- \"#!/bin/sh\"\n"
            let message = """
                Content-Type: multipart/mixed; boundary="=="
                MIME-Version: 1.0

                --==
                Content-Type: text/cloud-config

                #cloud-config
                ntp: 5
                --==
                Content-Type: text/x-shellscript

                #!/bin/sh
                --==--
                """
            let program = directory + "/cloud-init"
            let script = """
                #!/bin/sh
                [ "$(head -n 1 "$3")" = "#cloud-config" ] && grep -q '^ntp: 5' "$3" || exit 0
                echo 'Cloud config schema errors: ntp: wrong' >&2
                exit 1
                """
            try Data(script.utf8).write(to: URL(fileURLWithPath: program))
            chmod(program, 0o755)
            var paths: [String] = []
            for (name, text) in [("archive", archive), ("message", message), ("plain", "")] {
                let data = text.isEmpty ? "" : ", user-data-file: \(name)"
                try Data(text.utf8).write(to: URL(fileURLWithPath: "\(directory)/\(name)"))
                let path = "\(directory)/\(name).yaml"
                let lab = "kiln: 1\nname: a\nlab: { servers: { web: { image: i\(data) } } }\n"
                try Data(lab.utf8).write(to: URL(fileURLWithPath: path))
                paths.append(path)
            }
            let asked = await LintResult(labs: paths, cloudInit: CloudInitSchema(program: program)).payload
            #expect(asked.problems.isEmpty && asked.notes.isEmpty)
            #expect(asked.warnings.filter { $0.message == "cloud-init's schema: ntp: wrong" }.count == 2)
            let unasked = await LintResult(labs: paths, cloudInit: CloudInitSchema(program: nil))
            #expect(unasked.payload.notes.count == 1 && unasked.notes.first?.contains("install") == true)
            let plain = await LintResult(labs: [paths[2]], cloudInit: CloudInitSchema(program: nil)).payload
            #expect(plain.notes.isEmpty)
        }
    }

    @Test("without a lab file, up says how to get one")
    func noFile() {
        #expect { try LabReader.lab(at: "/nonexistent/kiln.yaml", isExplicit: false) } throws: {
            ($0 as? KilnError)?.code == .labNoFile
        }
        #expect(throws: InvalidFile.self) { try LabReader.lab(at: "/nonexistent/kiln.yaml", isExplicit: true) }
    }

    @Test("nobody is asked where nobody can answer: deleting a volume needs --yes")
    func unconfirmed() async throws {
        let session = RecordedSession().session()
        await #expect { try await Confirmation.ask("Sure?", unless: false, session) } throws: {
            ($0 as? KilnError)?.code == .volumeUnconfirmed
        }
        await #expect(throws: Never.self) { try await Confirmation.ask("Sure?", unless: true, session) }
    }

    @Test("ssh trusts one key, reads no configuration, and gets every word of the command as one")
    func ssh() async throws {
        try await Fixtures.withDirectory { directory in
            let invocation = SSHInvocation(
                port: 20022,
                user: "debian",
                identity: "/k/ssh/id_ed25519",
                knownHosts: directory + "/known 100%",
                command: ["echo", "it's", "a b", "", "$(x)"]
            )
            let arguments = invocation.arguments
            #expect(arguments.starts(with: ["ssh", "-F", "/dev/null", "-p", "20022", "-i", "/k/ssh/id_ed25519"]))
            #expect(arguments.contains("UserKnownHostsFile=\"\(directory)/known 100%%\""))
            #expect(arguments.contains("StrictHostKeyChecking=yes"))
            #expect(
                Array(arguments.suffix(8)) == [
                    "debian", "127.0.0.1", "--", "echo", "'it'\\''s'", "'a b'", "''", "'$(x)'",
                ]
            )
            try invocation.writeKnownHosts("ssh-ed25519 AAAA host\nssh-rsa BBBB other\n")
            #expect(
                try String(contentsOfFile: invocation.knownHosts, encoding: .utf8) == "kiln ssh-ed25519 AAAA host\n"
            )
        }
    }

    @Test("a copy lands under its own name in a directory, and replaces a file")
    func hostFile() async throws {
        try await Fixtures.withDirectory { directory in
            let session = RecordedSession().session()
            #expect(try HostFile.hand([1, 2], to: directory, named: "/etc/hosts", session) == "copied 2 bytes")
            #expect(try HostFile.read(directory + "/hosts") == [1, 2])
            _ = try HostFile.hand([3], to: directory + "/hosts", named: "/x", session)
            #expect(try HostFile.read(directory + "/hosts") == [3])
            // What breaks off leaves the old file, and nothing beside it.
            try HostCopy(directory + "/hosts", named: "/x", session).take([4])
            #expect(try HostFile.read(directory + "/hosts") == [3])
            #expect(try FileManager.default.contentsOfDirectory(atPath: directory) == ["hosts"])
            #expect(throws: KilnError.self) { try HostCopy("/dev/null", named: "/x", session) }
            #expect(throws: KilnError.self) { try HostFile.read(directory + "/absent") }
        }
    }

    @Test("a deadline of the user ends a wait with its own code; without one the work decides")
    func deadline() async throws {
        await #expect {
            try await Deadline.within(.milliseconds(20), "it") { try await Task.sleep(for: .seconds(60)) }
        } throws: {
            ($0 as? KilnError)?.exit == .deadline
        }
        try await Deadline.within(.seconds(60), "it") {}
        try await Deadline.within(nil, "it") {}
    }
}

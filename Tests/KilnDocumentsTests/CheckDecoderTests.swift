import KilnModel
import KilnTestSupport
import Testing

@testable import KilnDocuments

@Suite("Checks in files")
struct CheckDecoderTests {
    private func read<Place: CheckPlace>(_ text: String, _ place: Place) -> (checks: [Check], problems: [String]) {
        let problems = ProblemList(file: "f")
        let checks = YAMLDocument.root(of: text, problems).map { node in
            CheckDecoder(place).list(Value(node: node, path: "tests", problems: problems))
        }
        return (checks ?? [], problems.sorted.map { $0.description.replacing("f:", with: "") })
    }

    private func tests(_ text: String) -> (checks: [Check], problems: [String]) { read("[\(text)]", ImageTests()) }

    private func probe(_ text: String) throws -> Probe {
        let (checks, problems) = tests(text)
        #expect(problems.isEmpty, "\(problems)")
        return try #require(checks.first).probe
    }

    private let checker = SchemaChecker(
        [
            "type": "object", "additionalProperties": false,
            "properties": ["t": CheckSchema.list(ImageTests.self, "Tests.")],
        ]
    )

    private func isAcceptedBySchema(_ text: String) throws -> Bool {
        try checker.problems("t: [\(text)]").isEmpty
    }

    @Test("every field of a file reaches the model")
    func file() throws {
        let text = """
            file: { path: /etc/hosts, exists: true, type: symlink, mode: '0644', owner: root, group: '!users', size: { ge: 1 },
              contents: [localhost, '!/evil/'], sha256: \(String(repeating: "0a", count: 32)), linked-to: /a }
            """
        guard case .resource(.file(let file)) = try probe("{ \(text) }") else { throw Missing() }
        #expect(file.path.text == "/etc/hosts" && file.exists && file.type == .symlink && file.mode == 0o644)
        #expect(file.owner?.written == "root" && file.group?.written == "!users")
        #expect(file.size == NumberCondition(ge: 1) && file.contents?.map(\.written) == ["localhost", "!/evil/"])
        #expect(file.sha256?.hex.hasPrefix("0a0a") == true && file.linkedTo?.written == "/a")
        #expect(try isAcceptedBySchema("{ \(text) }"))
    }

    private struct Missing: Error {}

    @Test(
        "every kind is read, by goss's other words too, and the schema takes what the decoder takes",
        arguments: [
            ("agent", "agent"), ("cloud-init", "cloud-init"), ("{ exec: 'true' }", "exec 'true'"),
            ("{ http: { port: 80, path: /health } }", "http port-80/health"),
            ("{ tcp: { port: 7, send: a, expect: a } }", "tcp port-7"),
            ("{ file: { path: /a, filetype: fifo } }", "file /a"),
            ("{ file: { path: /a, mode: 0755 } }", "file /a"), ("{ file: { path: /a, exists: false } }", "file /a"),
            ("{ package: { name: libc6, version: '/^2/' } }", "package libc6"),
            ("{ package: { name: libc6, versions: ['2.41', '!3'] } }", "package libc6"),
            ("{ package: { name: telnet, installed: false } }", "package telnet"),
            ("{ service: { name: ssh, enabled: true } }", "service ssh"), ("{ port: { port: tcp:22 } }", "port tcp:22"),
            ("{ port: { listening: udp:53, ip: [0.0.0.0] } }", "port udp:53"),
            ("{ port: { port: 22 } }", "port tcp:22"),
            ("{ process: { name: sshd, count: { lt: 3 } } }", "process sshd"),
            (
                "{ user: { name: root, uid: 0, gid: { le: 0 }, home: /root, shell: /bin/, groups: [root] } }",
                "user root"
            ),
            ("{ group: { name: adm, gid: { gt: 0, lt: 100 } } }", "group adm"),
            ("{ command: { run: [a, b], exit-status: 1, stdout: x, stderr: ['!y'] } }", "command 'a b'"),
            ("{ mount: { path: /, source: /dev/vda, filesystem: ext4, opts: [rw] } }", "mount /"),
            ("{ not: { package: { name: telnet } } }", "not package telnet"),
            ("{ not: { http: { port: 80, path: / } } }", "not http port-80/"),
            ("{ any: [agent, { file: { path: /a } }] }", "any of agent, file /a"),
            ("{ any: { of: [{ group: { name: adm } }], timeout: 5s } }", "any of group adm"),
            ("{ all: [{ not: { any: [{ group: { name: a } }] } }] }", "all of not any of group a"),
        ]
    )
    func kinds(text: String, description: String) throws {
        #expect(try probe(text).description == description)
        #expect(try isAcceptedBySchema(text))
    }

    @Test("what has to hold always or never says for how long, and never is the probe turned round")
    func lasting() throws {
        let always = try #require(tests("{ user: { name: a, always: { for: 9s, every: 2s } } }").checks.first)
        let never = try #require(tests("{ user: { name: a, never: { for: 9s, every: 2s } } }").checks.first)
        #expect(
            always.always == Check.Always(through: .seconds(9), every: .seconds(2)) && never.always == always.always
        )
        #expect(never.probe == .not(always.probe) && always.patience == .seconds(29))
    }

    @Test("the settings of a test stand in its probe, and go with it into 'not'")
    func settings() throws {
        let settings = "timeout: 5s, hint: look, eventually: { within: 10s, every: 500ms }"
        let plain = try #require(tests("{ user: { name: a, \(settings) } }").checks.first)
        let negated = try #require(tests("{ not: { user: { name: a, \(settings) } } }").checks.first)
        for check in [plain, negated] {
            #expect(check.timeout == .seconds(5) && check.hint == "look")
            #expect(check.eventually == Check.Eventually(within: .seconds(10), every: .milliseconds(500)))
        }
        #expect(negated.probe == .not(plain.probe))
        #expect(tests("{ agent: { eventually: { within: 1m } } }").checks.first?.eventually?.every == .seconds(1))
    }

    @Test(
        "a mistake is told with the way out",
        arguments: [
            ("{ file: { path: a } }", "absolute path"), ("{ file: { path: /a/../b } }", "without '.' and '..'"),
            ("{ file: { mode: 644 } }", "the field 'path' is missing"),
            ("{ file: { path: /a, pth: b } }", "did you mean 'path'"),
            ("{ file: { path: /a, mode: 888 } }", "octal"), ("{ file: { path: /a, mode: '07777777' } }", "octal"),
            ("{ file: { path: /a, type: pipe } }", "one of file, directory"),
            ("{ file: { path: /a, md5: b } }", "'sha256'"),
            ("{ file: { path: /a, type: file, filetype: file } }", "another word for 'type'"),
            ("{ file: { path: /a, contents: [] } }", "asserts nothing"),
            ("{ file: { path: /a, contents: [a, []] } }", "a text"),
            ("{ file: { path: /a, contents: '/(/' } }", "a '(' without a ')'"),
            ("{ file: { path: /a, owner: 0 } }", "in quotes"),
            ("{ file: { path: /a, exists: false, mode: '0644' } }", "what does not exist has no 'mode'"),
            ("{ file: { path: /a, sha256: abc } }", "64 hexadecimal"),
            ("{ file: { path: /a, size: -1 } }", "from 0 on"),
            ("{ file: { path: /a, size: { gt: 3, lt: 4 } } }", "between which there is a number"),
            ("{ file: { path: /a, size: {} } }", "one of lt"),
            ("{ file: { path: /a, size: { eq: 4 } } }", "unknown field"),
            ("{ package: { name: Bash } }", "a package's name"),
            ("{ package: { name: a, version: 1.0 } }", "in quotes"),
            ("{ package: { name: a, installed: false, version: b } }", "what is not installed has no 'version'"),
            ("{ service: { name: ssh } }", "asserts nothing"), ("{ service: { name: -f, running: true } }", "a unit"),
            ("{ port: {} }", "'port' is missing"), ("{ port: { port: tcp:0 } }", "from 1 to 65535"),
            ("{ port: { port: 1, listening: 1 } }", "another word"),
            ("{ port: { port: 1, ip: [] } }", "asserts nothing"),
            ("{ port: { port: tcp:22, listening: true } }", "leave it out, or say 'not: { port: … }'"),
            ("{ mount: { path: /, usage: { lt: 90 } } }", "unknown field (ask a program: 'command: { run: [df, …] }'"),
            ("{ mount: { path: /, vfs-opts: [rw] } }", "unknown field (it is 'opts')"),
            ("{ http: { port: 80, path: /, body: Welcome } }", "what the answer has to contain is 'contains'"),
            ("{ http: { port: 80, path: /, method: HEAD, body: Welcome } }", "GET with 'contains'"),
            ("{ process: { name: a-name-of-sixteen } }", "15 bytes"),
            ("{ process: { name: a, running: false, count: 2 } }", "what does not run has no 'count'"),
            ("{ user: { name: 'a:b' } }", "a name"), ("{ user: { name: a, exists: false, uid: 1 } }", "has no 'uid'"),
            ("{ group: { name: a, gid: x } }", "a whole number"), ("{ command: { stdout: a } }", "'run' is missing"),
            ("{ command: { run: a, stdout: [] } }", "asserts nothing"),
            ("{ mount: { path: / , exists: 1 } }", "true or false"),
            ("{ not: agent }", "a map of one of"), ("{ not: { agent: {} } }", "'agent' can't stand in 'not'"),
            ("{ not: { not: { user: { name: a } } } }", "without either 'not'"),
            ("{ not: {} }", "one test per element"),
            ("{ not: { any: [agent] } }", "nothing can wait for them not to hold"),
            ("{ any: [] }", "a list of probes, found an empty list"), ("{ any: agent }", "a list of probes"),
            ("{ any: [{ user: { name: a, timeout: 1s } }] }", "it belongs to the whole"),
            ("{ user: { name: a, always: { for: 1s }, never: { for: 1s } } }", "one of 'eventually', 'always'"),
            ("{ user: { name: a, always: {} } }", "'for' is missing"),
            ("{ agent: { never: { for: 1s } } }", "nothing can tell that agent does not hold"),
            ("{ user: { name: a, every: 1s } }", "a test has 'eventually"),
            ("{ user: { name: a, failures: 2 } }", "'eventually"),
            ("{ user: { name: a, eventually: {} } }", "'within' is missing"),
            ("{ usr: { name: a } }", "did you mean 'user'"),
            ("usr", "did you mean 'user'"), ("{ user: { name: a }, group: { name: a } }", "one test per element"),
            ("{ http: { port: http, path: / } }", "from 1 to 65535"), ("", "a list of tests, found an empty list"),
        ]
    )
    func mistakes(text: String, message: String) {
        let problems = tests(text).problems
        #expect(problems.contains { $0.contains(message) }, "\(problems)")
    }

    @Test(
        "what the decoder refuses for its structure, the schema refuses",
        arguments: [
            "{ file: { path: a } }", "{ file: { mode: '644' } }", "{ file: { path: /a, mode: '888' } }",
            "{ file: { path: /a, type: pipe } }", "{ file: { path: /a, contents: [] } }",
            "{ file: { path: /a, size: {} } }", "{ file: { path: /a, size: -1 } }", "{ file: { path: /a, sha256: a } }",
            "{ package: { name: Bash } }", "{ service: { name: -f } }", "{ port: { port: 0 } }",
            "{ process: { name: a-name-of-sixteen } }", "{ user: { name: 'a:b' } }", "{ group: {} }",
            "{ command: { run: [] } }", "{ mount: { path: / , exists: 1 } }", "{ not: { agent: {} } }", "{ not: {} }",
            "{ user: { name: a, every: 1s } }", "{ user: { name: a, eventually: {} } }", "{ usr: { name: a } }", "usr",
            "{ http: { port: http, path: / } }", "",
        ]
    )
    func refusedBySchema(text: String) throws {
        #expect(!tests(text).problems.isEmpty)
        #expect(try !isAcceptedBySchema(text))
    }

    @Test("the schema uses no keyword that the checker of this test passes over")
    func keywords() { #expect(checker.unknownKeywords.isEmpty) }

    @Test("all problems of a test are reported at once")
    func atOnce() {
        let problems = tests("{ file: { path: a, mode: x, size: y, contents: [], tpye: z } }").problems
        #expect(problems.count == 5, "\(problems)")
    }

    @Test("a server's checks name its published ports, and have no 'eventually'")
    func server() throws {
        let place = ServerChecks(ports: [try Name("web")])
        #expect(read("[{ http: { port: web, path: / } }, { user: { name: a, every: 1s } }]", place).problems.isEmpty)
        let wrong = read("[{ http: { port: 80, path: / } }, { user: { name: a, eventually: { within: 1s } } }]", place)
        #expect(wrong.problems.count == 2 && wrong.problems[1].contains("'ready' waits anyway"), "\(wrong.problems)")
    }

    @Test(
        "the pattern of a form says what its test says",
        arguments: [
            "/", "/a", "/a/./b", "/a/..", "/..a", "a", "", "/a b", "/a\nb", "ssh", "ssh.service", "a@b", "-a", "a\\x2d",
            "a b", "a:b", "a,b", "libc6", "Libc", "+a", "a+", String(repeating: "a", count: 15),
            String(repeating: "a", count: 16), String(repeating: "a", count: 256), String(repeating: "a", count: 257),
        ]
    )
    func patterns(text: String) throws {
        let forms: [TextForm] = [.guestFile, .packageName, .unit, .account, .processName]
        for form in forms {
            let isFound = try text.firstMatch(of: Regex(form.pattern)) != nil
            #expect(form.accepts(text) == isFound, "\(form.expected)")
        }
    }
}

import KilnModel
import Testing

@testable import KilnScenarios

@Suite("Hostile and surprising YAML")
struct YAMLTests {
    @Test("every key that is written twice is reported where it stands the second time")
    func duplicates() throws {
        let text = """
            kiln: 1
            name: a
            name: b
            lab:
              servers:
                web: { image: tiny, "image": tiny, ports: { a: 1, b: 2, a: 3 } }
            steps: [up]
            name: c
            """
        let found = try problems(text)
        #expect(
            found == [
                "3:1: name: the key is written twice, the first time at 2:1",
                "6:25: lab.servers.web.image: the key is written twice, the first time at 6:12",
                "6:61: lab.servers.web.ports.a: the key is written twice, the first time at 6:49",
                "8:1: name: the key is written twice, the first time at 2:1",
            ]
        )
    }

    @Test("a key that is written twice in two ways is still found")
    func escapedDuplicate() throws {
        let found = try problems("kiln: 1\n\"\\u0061\": 1\na: 2\n")
        #expect(found.contains { $0.contains("written twice") }, "\(found)")
    }

    @Test("aliases are refused before they can multiply")
    func bomb() throws {
        var text = "a0: &a0 [x, x]\n"
        for level in 1...60 { text += "a\(level): &a\(level) {[*a\(level - 1), *a\(level - 1)]: 1}\n" }
        let found = try problems(text)
        #expect(found.contains { $0.contains("anchors (&) and aliases (*) are not supported") }, "\(found.prefix(3))")
    }

    @Test("asterisks that are no aliases stay what they are")
    func asterisks() throws {
        let data = try read(scenario(server: "user-data: { a: 'x*', b: a*, c: \"*\" }  # * *a")).lab
        #expect(data.servers.values.first?.userData == ["a": "x*", "b": "a*", "c": "*"])
    }

    @Test(
        "what could hide or crash is refused",
        arguments: [
            ("kiln: !!int '1'", "tags (!) are not supported"),
            ("kiln: !include x", "tags (!) are not supported"),
            ("a: \"\\0\"", "NUL"),
            ("? [a]\n: b", "keys that are plain text"),
            ("a: 1\n---\nb: 2\n", "not YAML"),
            ("", "empty file"),
            ("# nothing\n", "empty file"),
            ("a: b: c", "1:5: not YAML"),
            ("a: 1\nb: x\u{1}", "2:5: not YAML: a control character"),
            ("a: 1\nb: é\0", "2:5: expected text without NUL"),
        ]
    )
    func refused(text: String, part: String) throws { try expectRefusal(of: text, naming: part) }

    // Repeated here and not in the arguments, which a test's log shows in full.
    @Test(
        "what is deep or long beyond reason is refused",
        arguments: [
            ("[", 500_000, "", "not YAML"),
            ("- ", 400_000, "", "not YAML"),
            ("[", 900, "]", "levels of nesting"),
            ("# x\n", 300_000, "", "at most 1 MiB"),
        ]
    )
    func bomb(opening: String, count: Int, closing: String, part: String) throws {
        let text = String(repeating: opening, count: count) + String(repeating: closing, count: count)
        try expectRefusal(of: text, naming: part)
    }

    private func expectRefusal(of text: String, naming part: String) throws {
        let found = try problems(text)
        #expect(found.contains { $0.contains(part) }, "\(found.prefix(3).map { $0.prefix(300) })")
    }

    @Test("hostile keys are printed harmlessly")
    func hostileKeys() throws {
        let found = try problems("kiln: 1\n\"\\e[2J\": 1\n")
        #expect(found.contains { $0.contains("\\u{1b}") })
        #expect(!found.contains { $0.contains("\u{1b}") })
    }

    @Test(
        "text is what is written, with characters that YAML 1.1 takes for breaks of lines",
        arguments: [
            "a\u{85}b", "a\u{2028}b\u{2029}c", "\u{85}", "a\u{feff}b", "\u{1f600}\u{e000}", "a\t b ", "e\u{301}*",
        ]
    )
    func characters(text: String) throws {
        for written in ["a: \"\(text)\"", "a: '\(text)'", "a: |-\n  \(text)"] {
            let problems = ProblemList(file: "x")
            let root = try #require(YAMLDocument.root(of: written, problems), "\(problems.problems)")
            #expect(root.json["a"]?.string?.unicodeScalars.elementsEqual(text.unicodeScalars) == true, "\(written)")
        }
    }

    @Test("bytes that are no UTF-8 are refused at their place")
    func latin1() throws {
        let problems = ProblemList(file: "x")
        #expect(TextFile.text([0x61, 0x0a, 0xc3, 0xa4, 0xe9, 0x0a], problems) == nil)
        #expect(problems.problems.map(\.description) == ["x:2:2: expected UTF-8 text, found the byte 0xe9"])
    }

    @Test(
        "the mode of a file is what is written, with or without quotes",
        arguments: [
            ("0644", "\"0644\""), ("644", "\"644\""), ("'0755'", "\"0755\""), ("0o600", "\"0600\""),
            ("u=rw", "\"u=rw\""), ("0888", "\"0888\""), ("~", "null"),
        ]
    )
    func mode(written: String, json: String) throws {
        let file = "{ path: /a, permissions: \(written) }"
        let data = try read(scenario(server: "user-data: { write_files: [\(file)] }")).lab.servers.values.first?
            .userData
        guard case .array(let files)? = data?["write_files"] else {
            Issue.record("no files")
            return
        }
        #expect(try files.first?["permissions"].map(jsonText) == json)
    }

    @Test(
        "user-data means what cloud-init takes it for",
        arguments: [
            ("yes", "true"), ("off", "false"), ("0644", "420"), ("'0644'", "\"0644\""), ("1_000", "1000"),
            ("0x1f", "31"), ("1:30", "90"), ("1.5", "1.5"), ("-3", "-3"), ("~", "null"), ("1.2.3", "\"1.2.3\""),
            ("0o644", "\"0o644\""), ("2020-01-01", "\"2020-01-01\""), ("1e3", "\"1e3\""), ("08", "\"08\""),
            ("99999999999999999999", "\"99999999999999999999\""),
        ]
    )
    func meaning(written: String, json: String) throws {
        let data = try read(scenario(server: "user-data: { a: \(written) }")).lab.servers.values.first?.userData
        #expect(try data?["a"].map(jsonText) == json)
    }
}

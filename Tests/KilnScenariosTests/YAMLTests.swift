import KilnDocuments
import KilnModel
import KilnScenarios
import KilnTestSupport
import Testing

@Suite("Surprising YAML in user-data")
struct YAMLTests {
    @Test("asterisks that are no aliases stay what they are")
    func asterisks() throws {
        let data = try read(scenario(server: "user-data: { a: 'x*', b: a*, c: \"*\" }  # * *a")).lab
        #expect(data.servers.values.first?.userData == ["a": "x*", "b": "a*", "c": "*"])
    }

    @Test(
        "the mode of a file is what is written, with or without quotes",
        arguments: [
            ("0644", "\"0644\""), ("644", "\"644\""), ("'0755'", "\"0755\""), ("0o600", "\"0600\""),
            ("'420'", "\"420\""), ("420", "\"0644\""), ("493", "\"0755\""), ("384", "\"0600\""), ("711", "\"711\""),
            ("1777", "\"1777\""), ("980", "980"), ("u=rw", "\"u=rw\""), ("0888", "\"0888\""), ("~", "null"),
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
        "a number that may be meant in octal or in decimal digits is a warning that names both",
        arguments: [
            ("0644", ""), ("644", ""), ("'420'", ""), ("493", ""), ("420", "taken as the mode 0644, and not as 0420"),
            ("416", "taken as the mode 0640, and not as 0416"), ("711", "taken as the mode 0711, and not as 01307"),
        ]
    )
    func doubtfulMode(written: String, words: String) throws {
        let file = "{ path: /a, permissions: \(written) }"
        let told = try read(scenario(server: "user-data: { write_files: [\(file)] }")).warnings.map(\.message)
            .filter { $0.contains("the mode") }
        #expect(told.count == (words.isEmpty ? 0 : 1) && told.allSatisfy { $0.contains(words) }, "\(told)")
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

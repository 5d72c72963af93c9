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

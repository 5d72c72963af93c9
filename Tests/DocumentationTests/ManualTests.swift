import Foundation
import KilnBakery
import KilnCLI
import KilnModel
import KilnScenarios
import KilnSystem
import Testing

@testable import kiln_docs

@Suite("The manual pages")
struct ManualTests {
    // Written once: a description of all commands takes half a second in a debug build.
    private static let written = Result { try Manual(date: "2026-01-31").pages }

    private let pages: [ManualPage]

    init() throws { pages = try ManualTests.written.get() }

    private func page(_ file: String) throws -> String { try #require(pages.first { $0.file == file }).text }

    @Test("kiln(1) has every verb, with every argument and option of its own")
    func verbs() throws {
        let text = try page("kiln.1")
        let verbs = try CommandTree.of(KilnCommand.self).leaves.filter { $0.command.commandName != "help" }
        #expect(verbs.count > 30)
        for (path, command) in verbs {
            let start = try #require(text.range(of: ".TP\n\\fB\(Roff.escaped(path))\\fR"), "\(path) is missing")
            let rest = text[start.upperBound...]
            let part = rest[..<(rest.range(of: ".TP\n\\fBkiln ")?.lowerBound ?? rest.endIndex)]
            let common = text[try #require(text.range(of: ".SH OPTIONS OF EVERY VERB")).upperBound...]
            for argument in command.shown {
                for spelling in argument.names.map({ $0.map(\.text) }) ?? [argument.valueName ?? ""] {
                    let isThere = [part, common].contains { $0.contains(Roff.escaped(spelling) + "\\fR") }
                    #expect(isThere, "\(path) lacks \(spelling)")
                }
            }
        }
    }

    @Test("kiln(1) tells of every exit code, and of what the environment decides")
    func surroundings() throws {
        let text = try page("kiln.1")
        for code in KilnModel.ExitCode.allCases { #expect(text.contains("\n.TP\n\\fB\(code.rawValue)\\fR\n")) }
        for name in ["KILN_HOME", "LIBVIRT_DEFAULT_URI", "KILN_LOG", "NO_COLOR"] {
            #expect(text.contains(".TP\n\\fB\(name)\\fR"))
        }
    }

    @Test("every field of a schema is in a page about files")
    func fields() throws {
        let lab = try page("kiln.yaml.5") + page("kiln-scenario.5")
        let image = try page("kiln-image.5")
        for field in names(in: ScenarioSchema.document) { #expect(hasField(field, lab), "\(field)") }
        for page in FilePage.all where page.name == "kiln-image" {
            for field in names(in: page.schema) { #expect(hasField(field, image), "\(field)") }
        }
    }

    private func hasField(_ name: String, _ text: String) -> Bool {
        text.contains("\\fB\(Roff.escaped(name))\\fR (") || text.contains(".\(Roff.escaped(name))\\fR (")
    }

    /// The names of all fields, found without what is under test.
    private func names(in schema: JSONValue) -> Set<String> {
        switch schema {
        case .object(let map):
            map.reduce(into: []) { found, entry in
                if entry.key == "properties", case .object(let fields) = entry.value { found.formUnion(fields.keys) }
                found.formUnion(names(in: entry.value))
            }
        case .array(let list): list.reduce(into: []) { $0.formUnion(names(in: $1)) }
        default: []
        }
    }

    @Test("groff has nothing to say about a page, however narrow", arguments: ["80n", "60n", "120n"])
    func groff(width: String) async throws {
        #expect(pages.count == 4)
        for page in pages {
            let found = try await render(page.text, ["-ww", "-rLL=\(width)"])
            #expect(found.errors.isEmpty, "\(page.file): \(String(decoding: found.errors, as: UTF8.self))")
        }
    }

    @Test("what is to be copied from a page can be: dashes, quotes, backslashes and leading dots stay what they are")
    func copied() async throws {
        let hostile = #"'--data-on-revert' `x` ~/.cache ^a "b" \fI\n C:\new"#
        var roff = Roff(title: "a", section: 5, date: "2026-01-31", version: "1")
        roff.section("b")
        roff.paragraphs(hostile)
        roff.paragraphs(".so /etc/passwd")
        roff.paragraphs("'br")
        roff.term([.bold(".TP-"), .plain(" "), .italic("-x")], "")
        roff.example(".\n'\n\n  - a: \"\\\\\"\n.EE")
        let found = try await render(roff.text, ["-ww"])
        #expect(found.errors.isEmpty)
        let lines = String(decoding: found.output, as: UTF8.self).split(
            separator: "\n",
            omittingEmptySubsequences: false
        )
        for line in [hostile, ".so /etc/passwd", "'br", ".TP- -x"] {
            #expect(lines.contains("       " + line), "\(line)")
        }
        for line in [".", "'", "  - a: \"\\\\\"", ".EE"] { #expect(lines.contains("           " + line), "\(line)") }
    }

    /// The page as plain text, without a terminal's colours.
    private func render(_ page: String, _ options: [String]) async throws -> Command.Output {
        let file = FileManager.default.temporaryDirectory.appending(path: "kiln-page-\(UUID().uuidString)").path
        try Data(page.utf8).write(to: URL(filePath: file))
        defer { try? FileManager.default.removeItem(atPath: file) }
        return try await Command("groff", ["-man", "-Tutf8", "-P-cbou"] + options + [file]).run()
    }

    @Test("the example of a lab and of a scenario is one that Kiln reads")
    func examples() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "kiln-example-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        for (page, file) in [(FilePage.lab, "kiln.yaml"), (.scenario, "scenario.yaml")] {
            try Data(page.example.utf8).write(to: folder.appending(path: file))
        }
        #expect(try ScenarioFile.lab(at: folder.appending(path: "kiln.yaml").path).lab.servers.count == 1)
        #expect(try ScenarioFile.scenario(at: folder.appending(path: "scenario.yaml").path).steps.count == 5)
    }

    @Test("the example of a recipe is one that Kiln reads")
    func recipe() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "kiln-docs-\(UUID().uuidString)/small")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder.deletingLastPathComponent()) }
        try Data(FilePage.image.example.utf8).write(to: folder.appending(path: "image.yaml"))
        let program = folder.appending(path: "assemble.sh").path
        try Data("#!/bin/sh\n".utf8).write(to: URL(fileURLWithPath: program))
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: program)
        #expect(try Recipe(folder: folder.path).versions.count == 1)
    }

    @Test("a page bears the day that a build asks for")
    func date() throws {
        #expect(Manual.date(environment: ["SOURCE_DATE_EPOCH": "86400"]) == "1970-01-02")
        #expect(try page("kiln.1").contains(".TH KILN 1 2026-01-31 "))
    }
}

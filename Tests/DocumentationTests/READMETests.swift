import Foundation
import KilnCLI
import KilnScenarios
import Testing

@testable import kiln_docs

@Suite("The READMEs")
struct READMETests {
    /// A link in a document.
    private struct Link {
        let from: String
        let target: String

        /// Why it leads nowhere.
        func problem() throws -> String? {
            let parts = target.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            let folder = (from as NSString).deletingLastPathComponent
            let path = parts[0].isEmpty ? from : ("\(folder)/\(parts[0])" as NSString).standardizingPath
            let relative = path.hasPrefix("/") ? String(path.dropFirst()) : path
            guard FileManager.default.fileExists(atPath: Checkout.top.appending(path: relative).path) else {
                return "\(from): \(target) is no file"
            }
            guard parts.count == 2 else { return nil }
            let headings = READMETests.headings(in: try Checkout.text(relative))
            return headings.contains(parts[1]) ? nil : "\(from): \(relative) has no heading #\(parts[1])"
        }
    }

    private static func links(in document: String) throws -> [Link] {
        let text = READMETests.prose(of: try Checkout.text(document))
        return text.matches(of: /\]\(([^)\s]+)\)/).map { String($0.1) }
            .filter { !$0.contains("://") }.map { Link(from: document, target: $0) }
    }

    /// The text without what is shown as it stands.
    private static func prose(of text: String) -> String {
        text.replacing(/(?s)```.*?```/, with: "").replacing(/`[^`\n]*`/, with: "")
    }

    /// The names under which headings can be linked to.
    private static func headings(in text: String) -> Set<String> {
        let lines = text.replacing(/(?s)```.*?```/, with: "").split(separator: "\n").filter { $0.hasPrefix("#") }
        return Set(
            lines.map { line in
                let title = line.drop { $0 == "#" || $0 == " " }.lowercased()
                return String(
                    title.filter { $0.isLetter || $0.isNumber || " -_".contains($0) }.map { $0 == " " ? "-" : $0 }
                )
            }
        )
    }

    @Test("every link to a file or a heading leads there")
    func links() throws {
        let documents = try Checkout.documents()
        #expect(documents.contains("README.md") && documents.contains("Scenarios/volumes.md"))
        let links = try documents.flatMap { try READMETests.links(in: $0) }
        #expect(links.count > 20)
        #expect(try links.compactMap { try $0.problem() } == [])
    }

    @Test("a link that leads nowhere is found")
    func broken() throws {
        #expect(try Link(from: "README.md", target: "Scenarios/gone.md").problem() != nil)
        #expect(try Link(from: "Scenarios/README.md", target: "../README.md#gone").problem() != nil)
        #expect(try Link(from: "README.md", target: "#verbs").problem() == nil)
    }

    @Test("the example of a scenario is one that Kiln reads")
    func example() throws {
        let text = try Checkout.text("Scenarios/README.md")
        let example = try #require(text.firstMatch(of: /(?s)```yaml\n(.*?)```/)).1
        let file = FileManager.default.temporaryDirectory.appending(path: "kiln-example-\(UUID().uuidString).yaml").path
        try Data(example.utf8).write(to: URL(filePath: file))
        defer { try? FileManager.default.removeItem(atPath: file) }
        #expect(try ScenarioFile.scenario(at: file).steps.count == 5)
    }

    @Test("the README stays short, and names every verb")
    func short() throws {
        let text = try Checkout.text("README.md")
        #expect(text.split(separator: "\n", omittingEmptySubsequences: false).count <= 258)
        let verbs = try CommandTree.of(KilnCommand.self).leaves.map(\.command.commandName)
        let start = try #require(text.range(of: "\n## Verbs\n"))
        let rest = text[start.upperBound...]
        let part = rest[..<(rest.range(of: "\n## ")?.lowerBound ?? rest.endIndex)]
        let named = part.matches(of: /`([^`]+)`/).flatMap { $0.1.split(separator: " ").map(String.init) }
        for verb in verbs { #expect(named.contains(verb), "\(verb)") }
    }
}

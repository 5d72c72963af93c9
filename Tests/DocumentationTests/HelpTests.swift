import ArgumentParser
import KilnCLI
import Testing

@testable import kiln_docs

@Suite("The help")
struct HelpTests {
    private let verbs: [(path: [String], command: CommandTree)]

    init() throws {
        verbs = try CommandTree.of(KilnCommand.self).leaves.map { path, command in
            (path.split(separator: " ").dropFirst().map(String.init), command)
        }
    }

    @Test("'kiln help VERB' shows the help of each verb")
    func help() throws {
        for (path, command) in verbs {
            let text = help(["help"] + path).split(separator: "\n").joined(separator: " ")
            #expect(text.contains("OVERVIEW: \(try #require(command.abstract))"), "\(path)")
        }
    }

    private func help(_ arguments: [String]) -> String {
        do {
            var command = try KilnCommand.parseAsRoot(arguments)
            try command.run()
            return ""
        } catch {
            return KilnCommand.fullMessage(for: error)
        }
    }

    @Test("every verb and everything that it takes is explained by a sentence")
    func explained() {
        #expect(verbs.count > 30)
        for (path, command) in verbs where path != ["help"] {
            #expect(command.abstract?.hasSuffix(".") == true, "\(path)")
            for argument in command.shown {
                let text = argument.abstract ?? ""
                #expect(text.hasSuffix(".") && text.count > 5, "\(path) \(argument.valueName ?? ""): \(text)")
            }
        }
    }
}

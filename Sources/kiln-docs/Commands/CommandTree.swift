import ArgumentParser
import Foundation

/// What a command says of itself: the part of ArgumentParser's own description that a manual needs.
struct CommandTree: Decodable {
    /// The name by which it is called, without that of the command above it.
    let commandName: String
    /// One sentence.
    let abstract: String?
    /// More of it.
    let discussion: String?
    /// The commands below it.
    let subcommands: [CommandTree]?
    /// Its arguments, options and flags, in order.
    let arguments: [CommandArgument]?

    /// The tree of a command.
    static func of(_ command: any ParsableCommand.Type) throws -> CommandTree {
        struct Description: Decodable { let command: CommandTree }
        return try JSONDecoder().decode(Description.self, from: Data(command._dumpHelp().utf8)).command
    }

    /// The commands at the ends of the tree, each with its path from here on.
    var leaves: [(path: String, command: CommandTree)] {
        guard let subcommands else { return [(commandName, self)] }
        return subcommands.flatMap(\.leaves).map { ("\(commandName) \($0.path)", $0.command) }
    }

    /// What is shown of its arguments.
    var shown: [CommandArgument] { (arguments ?? []).filter(\.shouldDisplay) }
}

/// An argument, an option or a flag.
struct CommandArgument: Decodable, Hashable {
    enum Kind: String, Decodable { case positional, option, flag }

    struct Name: Decodable, Hashable {
        let kind: String
        let name: String

        /// As it is written on a command line.
        var text: String { kind == "long" ? "--\(name)" : "-\(name)" }
    }

    let kind: Kind
    let shouldDisplay: Bool
    let isOptional: Bool
    let isRepeating: Bool
    let parsingStrategy: String
    let names: [Name]?
    let preferredName: Name?
    let valueName: String?
    let defaultValue: String?
    let abstract: String?
    let discussion: String?

    /// Whether it stands behind `--`, where nothing is an option any more.
    var isBehindTerminator: Bool { parsingStrategy == "postTerminator" }
}

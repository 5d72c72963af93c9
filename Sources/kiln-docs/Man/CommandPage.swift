import ArgumentParser
import KilnCLI
import KilnModel

/// kiln(1): all verbs.
struct CommandPage {
    /// A heading, and the names of the verbs below it.
    typealias Group = (name: String, verbs: [String])

    let tree: CommandTree
    let groups: [Group]
    let date: String

    /// The groups in which the help lists the verbs.
    static var groups: [Group] {
        KilnCommand.configuration.groupedSubcommands.map { group in
            (group.name.replacing(":", with: ""), group.subcommands.map { $0._commandName })
        }
    }

    var page: ManualPage {
        var roff = Roff(title: "kiln", section: 1, date: date, version: KilnCommand.version)
        roff.section("Name")
        roff.paragraphs("kiln - \(tree.abstract?.lowercasedSentence ?? "")")
        roff.section("Synopsis")
        roff.usage([.bold("kiln"), .plain(" "), .italic("verb"), .plain(" [arguments] [options]")])
        roff.usage([.bold("kiln help"), .plain(" "), .italic("verb")])
        roff.section("Description")
        roff.paragraphs(KilnCommand.introduction)
        for group in groups { write(group, to: &roff) }
        roff.section("Options of every verb")
        for option in common { roff.term(option.spelling, option.about) }
        roff.section("Exit status")
        for code in KilnModel.ExitCode.allCases { roff.term([.bold("\(code.rawValue)")], code.meaning) }
        roff.paragraphs("'kiln help errors' lists the codes of errors, which --format json gives with every error.")
        write(CommandPage.surroundings, to: &roff)
        return ManualPage(file: "kiln.1", text: roff.text)
    }

    /// The options that all verbs take; they stand in the page once.
    private var common: [CommandArgument] {
        let all = groups.flatMap(verbs).flatMap(\.leaves).map(\.command.shown)
        return all.first.map { first in first.filter { option in all.allSatisfy { $0.contains(option) } } } ?? []
    }

    private func write(_ group: Group, to roff: inout Roff) {
        roff.section(group.name)
        for (path, command) in verbs(of: group).flatMap(\.leaves) { write(command, called: "kiln \(path)", to: &roff) }
    }

    private func verbs(of group: Group) -> [CommandTree] {
        (tree.subcommands ?? []).filter { group.verbs.contains($0.commandName) }
    }

    private func write(_ command: CommandTree, called path: String, to roff: inout Roff) {
        let own = command.shown.filter { !common.contains($0) }
        let usage = own.filter { !$0.isBehindTerminator } + own.filter(\.isBehindTerminator)
        let about = [command.abstract, command.discussion].compactMap { $0 }.joined(separator: "\n\n")
        roff.term([.bold(path)] + usage.flatMap { [.plain(" ")] + $0.usage }, about)
        if own.isEmpty { return }
        roff.indented { roff in
            for argument in own { roff.term(argument.spelling, argument.about) }
        }
    }

    private func write(_ sections: [(String, [(term: String, about: String)])], to roff: inout Roff) {
        for (title, terms) in sections {
            roff.section(title)
            for (term, about) in terms { roff.term([.bold(term)], about) }
        }
        roff.section("See also")
        roff.paragraphs("kiln.yaml(5), kiln-scenario(5), kiln-image(5), qemu-img(1), virsh(1)")
    }
}

extension CommandArgument {
    /// How it stands in a usage line.
    var usage: [Span] {
        let spans =
            isBehindTerminator
            ? [.bold("--"), .plain(" ")] + value : kind == .positional ? value : named([preferredName])
        return isOptional ? [.plain("[")] + spans + [.plain("]")] : spans
    }

    /// How it stands where it is explained: with all its names.
    var spelling: [Span] { kind == .positional ? value : named(names ?? []) }

    /// What it means, with its default.
    var about: String {
        let fallback = defaultValue.map { " Without it: \($0)." } ?? ""
        return [(abstract ?? "") + fallback, discussion].compactMap { $0 }.joined(separator: "\n\n")
    }

    private var value: [Span] { [.italic(valueName ?? "value")] + (isRepeating ? [.plain(" ...")] : []) }

    private func named(_ names: [Name?]) -> [Span] {
        let spelled = names.compactMap { $0 }.sorted { $0.text.count < $1.text.count }.map { [Span.bold($0.text)] }
        return Array(spelled.joined(separator: [.plain(", ")])) + (kind == .option ? [.plain(" ")] + value : [])
    }
}

extension String {
    /// A sentence as the second half of a line.
    var lowercasedSentence: String {
        let text = hasSuffix(".") ? String(dropLast()) : self
        return text.prefix(1).lowercased() + text.dropFirst()
    }
}

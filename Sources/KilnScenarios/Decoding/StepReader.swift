import KilnDocuments
import KilnModel

/// Reads steps, and what they hold.
final class StepReader {
    /// The lab that they act on.
    let lab: DecodedLab
    /// The lists that `use` stands for.
    private let lists: [Name: Value]
    private var open: [Name] = []
    private(set) var used: Set<Name> = []
    private var count = 0
    private var uses: [SavedUse] = []
    /// How many members of a server the steps that were read so far declare at most.
    private(set) var declared: [Name: Int] = [:]
    /// Where a saved value was taken.
    private var taken: Set<StepPlace> = []

    /// The most steps that a file comes to once each `use` is replaced by what it stands for.
    static let most = 10_000

    init(lab: DecodedLab, named: [Name: Value] = [:]) {
        self.lab = lab
        lists = named
    }

    /// The names of the servers.
    var serverNames: [Name] { lab.servers.map(\.name) }

    /// Takes in that a step lets a server have so many members.
    func declare(_ server: Name, members: Int) { declared[server] = max(declared[server] ?? 0, members) }

    /// A list of steps; nothing where one of them could not be read.
    func steps(_ value: Value) -> [PlacedStep]? {
        guard let elements = value.list(of: "steps") else { return nil }
        let steps = elements.map { step($0) }
        return steps.contains { $0 == nil } ? nil : steps.compactMap { $0 }
    }

    /// One step.
    func step(_ value: Value) -> PlacedStep? {
        count += 1
        guard count <= StepReader.most else {
            if count == StepReader.most + 1 {
                value.problem("expected at most \(StepReader.most) steps, with what 'use' stands for; use less")
            }
            return nil
        }
        guard let (kind, content, attributes) = parts(value) else { return nil }
        let outer = uses
        uses = []
        defer { uses = outer }
        let action = kind.decode(content, self)
        let read = attributes.map { self.attributes($0, of: kind, action, value) } ?? StepAttributes()
        guard let action, var read else { return nil }
        read.uses = uses
        return PlacedStep(kind: kind.word, place: StepPlace(value), attributes: read, action: action)
    }

    /// The steps that a name stands for.
    func named(_ name: Name, at value: Value) -> [PlacedStep]? {
        guard let list = lists[name] else { return nil }
        used.insert(name)
        guard !open.contains(name), open.count < 16 else {
            let way = (open + [name]).map(\.text).joined(separator: " uses ")
            value.problem(open.contains(name) ? "it would never end: \(way)" : "expected at most 16 levels: \(way)")
            return nil
        }
        open.append(name)
        defer { open.removeLast() }
        return steps(list)
    }

    /// The names that `use` may have.
    var knownLists: [Name] { lists.keys.sorted() }
}

// MARK: - Servers, volumes and texts

extension StepReader {
    /// A server of the lab.
    func server(_ value: Value?) -> Name? { value?.reference("server", among: serverNames) }

    /// An external service of the scenario.
    func external(_ value: Value?) -> Name? {
        value?.reference("service in 'external'", among: lab.externals.all)
    }

    /// What a ledger is written to: a server of the lab, or an external service; one of both has to be said.
    func ledgerPlace(server: Value?, external: Value?, in value: Value) -> Name? {
        guard (server == nil) != (external == nil) else {
            value.problem("expected 'server' or 'external', found \(server == nil ? "neither" : "both")")
            return nil
        }
        return server == nil ? self.external(external) : self.server(server)
    }

    /// A volume of the lab.
    func volume(_ value: Value?) -> Name? { value?.reference("volume", among: lab.volumeNames) }

    /// Some servers by name, or all of them.
    func servers(_ value: Value) -> [Name]? {
        guard case .list = value.node.content else {
            return all(value, "a list of servers, or 'all'") ? serverNames : nil
        }
        guard let elements = value.list(of: "servers") else { return nil }
        var found: [Name] = []
        for element in elements {
            guard let name = server(element) else { continue }
            if found.contains(name) {
                element.problem("the server '\(name)' is named twice")
            } else {
                found.append(name)
            }
        }
        return found.count == elements.count ? found : nil
    }

    /// Whether all are meant; anything else is reported.
    func all(_ value: Value, _ expected: String) -> Bool {
        if case .scalar(let scalar) = value.node.content, scalar.meaning == .nothing || scalar.text == "all" {
            return true
        }
        value.mismatch(expected)
        return false
    }

    /// A text in which saved values may stand.
    func text(_ value: Value, _ expected: String = "text") -> SavedText? {
        value.text(expected).flatMap { saved($0, value) }
    }

    /// A scalar, whatever YAML takes it for, in which saved values may stand.
    func written(_ value: Value) -> SavedText? { value.written("text").flatMap { saved($0, value) } }

    /// A command, in whose arguments saved values may stand.
    func command(_ value: Value) -> [SavedText]? {
        guard let arguments = value.command() else { return nil }
        guard case .list = value.node.content else {
            if !SavedText.references(in: arguments.last ?? "").isEmpty {
                take(value)
                value.problem(
                    "a shell would read what was saved as a part of the line; write the command as a list, such as "
                        + "[sh, -c, 'test \"$1\" = 7', sh, '${saved.NAME}']"
                )
                return nil
            }
            // Letters, digits and the few marks of a URL: no shell takes them for anything else.
            let line = arguments.last ?? ""
            guard lab.externals.areNamed(in: line) else { return arguments.map { SavedText(plain: $0) } }
            return saved(line, value).map { line in arguments.dropLast().map { SavedText(plain: $0) } + [line] }
        }
        let texts = zip(arguments, value.elements).map { saved($0, $1) }
        return texts.contains(nil) ? nil : texts.compactMap { $0 }
    }

    /// Takes a text that was read already.
    func saved(_ text: String, _ value: Value) -> SavedText? {
        take(value)
        guard let found = SavedText(text) else {
            value.problem("expected ${saved.NAME} with a name (\(Value.nameRule))")
            return nil
        }
        guard lab.externals.check(text, at: value) else { return nil }
        uses += found.names.map { SavedUse(name: $0, place: StepPlace(value)) }
        return found
    }

    /// Lets saved values stand anywhere in what the value holds.
    func takeAll(_ value: Value?) -> Bool {
        let texts = value?.texts.filter { isNaming($0.plainText ?? "") } ?? []
        return !texts.map { saved($0.plainText ?? "", $0) }.contains(nil)
    }

    private func take(_ value: Value) { taken.insert(StepPlace(value)) }

    private func isNaming(_ text: String) -> Bool {
        !SavedText.references(in: text).isEmpty || lab.externals.areNamed(in: text)
    }

    /// Reports the saved values, and what is named of external services, in `value` that nothing reads.
    ///
    /// - Parameter isLab: whether it is the lab, of which external services are looked for elsewhere.
    func refuseUntaken(_ value: Value, isLab: Bool = false) {
        for text in value.texts where !taken.contains(StepPlace(text)) {
            let written = text.plainText ?? ""
            if !SavedText.references(in: written).isEmpty {
                text.problem("a saved value is known only while the scenario runs, and can't stand here")
            } else if !isLab, lab.externals.areNamed(in: written) {
                text.problem(
                    "what is known of an external service is known only while the scenario runs, and can't stand here"
                )
            }
        }
    }
}

import KilnModel

/// Looks at what files tell without a running machine: files, packages, users and groups.
public struct RootChecks: Sendable {
    let root: any RootFiles

    /// What looks at a root.
    public init(_ root: any RootFiles) { self.root = root }

    /// The most bytes of a file that is searched.
    static let longestContent = 1 << 20
    /// The most bytes of a list of accounts.
    static let longestAccounts = 1 << 20
    /// The most bytes of the list of packages, of which a full desktop has five million.
    static let longestPackages = 12 << 20

    /// Looks at what a check is about; an assertion for each attribute, never none.
    ///
    /// A check that takes a running machine fails, and says so: see `Probe.isOffline`.
    public func assertions(_ check: Check) async -> [Assertion] {
        let begin = ContinuousClock.now
        let seen = await [Observation].of(check.probe, within: check.timeout) { await observations(of: check.probe) }
        return seen.assertions(.offline, after: ContinuousClock.now - begin, hint: check.hint)
    }

    private func observations(of probe: Probe) async -> [Observation] {
        do {
            switch probe {
            case .resource(let resource): return try await observations(of: resource)
            case .not(let inner): return [await observations(of: inner).negated(inner)]
            case .any(let probes): return [await .any(probes, observations)]
            case .all(let probes): return await .all(probes, observations)
            case .agent, .cloudInit, .http, .tcp, .exec: return [.open(probe, Self.needsMachine)]
            }
        } catch {
            return [.open(probe, String(describing: error))]
        }
    }

    func observations(of resource: GuestResource) async throws -> [Observation] {
        switch resource {
        case .file(let file): try await observations(of: file)
        case .package(let package): try await observations(of: package)
        case .user(let user): try await observations(of: user)
        case .group(let group): try await observations(of: group)
        case .service, .port, .process, .command, .mount: [.open(.resource(resource), Self.needsMachine)]
        }
    }

    private static let needsMachine = "only a machine that runs can tell"

    private func observations(of file: FileResource) async throws -> [Observation] {
        let subject = "file \(file.path)"
        let entry = try await root.entry(file.path)
        let presence = Observation.presence(subject, file.exists, entry != nil)
        guard let entry, file.exists else { return [presence] }
        return [presence] + attributes(of: file, entry, subject) + (try await owners(of: file, entry, subject))
            + (try await content(of: file, subject))
    }

    private func attributes(of file: FileResource, _ entry: RootEntry, _ subject: String) -> [Observation] {
        var seen: [Observation] = []
        if let type = file.type {
            let kind = FileResource.Kind(entry.kind)
            seen.append(
                Observation(subject, "type", expected: type.rawValue, found: kind?.rawValue ?? "damaged", type == kind)
            )
        }
        if let mode = file.mode {
            seen.append(
                Observation(
                    subject,
                    "mode",
                    expected: Self.octal(mode),
                    found: Self.octal(entry.mode),
                    mode == entry.mode
                )
            )
        }
        if let size = file.size {
            let isFile = entry.kind == .file
            let bytes = Int(clamping: entry.size)
            let found = isFile ? "\(entry.size)" : "no regular file"
            seen.append(
                Observation(subject, "size", expected: "\(size)", found: found, isFile && size.holds(for: bytes))
            )
        }
        if let target = file.linkedTo {
            let found = entry.kind == .link ? entry.value.flatMap { RootPath.unescaped($0.utf8) } : nil
            seen.append(
                .value(subject, "linked-to", target, found.map { [String(decoding: $0, as: UTF8.self)] }, "no link")
            )
        }
        return seen
    }

    private static func octal(_ mode: UInt16) -> String {
        let digits = String(mode, radix: 8)
        return String(repeating: "0", count: max(0, 4 - digits.count)) + digits
    }

    private func owners(of file: FileResource, _ entry: RootEntry, _ subject: String) async throws -> [Observation] {
        guard file.owner != nil || file.group != nil else { return [] }
        let accounts = try await accounts()
        var seen: [Observation] = []
        if let owner = file.owner {
            let names = accounts.users.filter { $0.number == entry.user }.map(\.name)
            seen.append(.value(subject, "owner", owner, names + ["\(entry.user)"], ""))
        }
        if let group = file.group {
            let names = accounts.groups.filter { $0.number == entry.group }.map(\.name)
            seen.append(.value(subject, "group", group, names + ["\(entry.group)"], ""))
        }
        return seen
    }

    private func content(of file: FileResource, _ subject: String) async throws -> [Observation] {
        var seen: [Observation] = []
        if let digest = file.sha256 {
            let found = try await root.digest(file.path)
            seen.append(
                Observation(
                    subject,
                    "sha256",
                    expected: digest.hex,
                    found: found?.hex ?? "no regular file",
                    found == digest
                )
            )
        }
        guard let patterns = file.contents else { return seen }
        guard let bytes = try await root.content(file.path, limit: Self.longestContent) else {
            return seen + [.untoldText(subject, "contents", patterns, "no regular file")]
        }
        return seen + Observation.text(subject, "contents", patterns, bytes)
    }

    func accounts() async throws -> AccountList {
        func lines(_ path: String) async throws -> [UInt8] {
            guard let path = RootPath(path) else { return [] }
            return try await root.content(path, limit: Self.longestAccounts) ?? []
        }
        return AccountList(passwd: try await lines("/etc/passwd"), group: try await lines("/etc/group"))
    }
}

extension FileResource.Kind {
    /// The word for what a listing says.
    init?(_ kind: RootEntry.Kind) {
        switch kind {
        case .file: self = .file
        case .directory: self = .directory
        case .link: self = .symlink
        case .socket: self = .socket
        case .pipe: self = .fifo
        case .block: self = .block
        case .character: self = .character
        case .damaged: return nil
        }
    }
}

extension Observation {
    /// Whether something is there.
    static func presence(_ subject: String, _ isExpected: Bool, _ isFound: Bool, as word: String = "exists") -> Self {
        Observation(subject, word, expected: "\(isExpected)", found: "\(isFound)", isExpected == isFound)
    }

    /// A value that may have several names; nothing where there is none.
    static func value(
        _ subject: String,
        _ attribute: String,
        _ pattern: TextPattern,
        _ found: [String]?,
        _ otherwise: String
    ) -> Self {
        Observation(
            subject,
            attribute,
            expected: pattern.written,
            found: found.map { $0.map(GuestText.line).joined(separator: ", ") } ?? otherwise,
            found.map { pattern.isMet(byOneOf: $0) } ?? false
        )
    }

    /// Values of which each pattern has to be met by one.
    static func values(
        _ subject: String,
        _ attribute: String,
        _ patterns: [TextPattern],
        _ found: [String]
    ) -> [Self] {
        patterns.map { value(subject, attribute, $0, found, "") }
    }

    static func number(_ subject: String, _ attribute: String, _ condition: NumberCondition, _ found: Int) -> Self {
        Observation(subject, attribute, expected: "\(condition)", found: "\(found)", condition.holds(for: found))
    }

    /// A longer text, in which each pattern has to be met.
    static func text(_ subject: String, _ attribute: String, _ patterns: [TextPattern], _ bytes: [UInt8]) -> [Self] {
        let text = String(decoding: bytes, as: UTF8.self)
        return patterns.map { pattern in
            let isMet = pattern.isMet(by: text)
            let found = isMet ? "as expected" : "\(bytes.count) bytes, which begin \(GuestText.line(bytes.prefix(120)))"
            return Observation(subject, attribute, expected: pattern.written, found: found, isMet)
        }
    }

    static func untoldText(_ subject: String, _ attribute: String, _ patterns: [TextPattern], _ why: String) -> Self {
        let expected = patterns.map(\.written).joined(separator: " and ")
        return Observation(subject, attribute, expected: expected, found: why, false)
    }
}

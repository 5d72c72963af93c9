import KilnModel

/// The root of a guest that runs.
struct GuestRoot: RootFiles {
    let guests: any GuestAccess
    let machine: MachineID
    /// How long one look may take.
    let limit: Duration

    func entry(_ path: RootPath) async throws -> RootEntry? {
        guard let said = try await ask(["entry", path.plain]) else { return nil }
        let lines = said.split(separator: 0x0a, maxSplits: 1, omittingEmptySubsequences: false)
        let fields = String(decoding: lines[0], as: UTF8.self).split(separator: " ")
        guard fields.count == 4, let bits = UInt32(fields[0], radix: 16), let user = UInt32(fields[1]),
            let group = UInt32(fields[2]), let size = UInt64(fields[3]), let kind = RootEntry.Kind(modeBits: bits)
        else { throw nonsense("what lies at \(path)", said) }
        var target: [UInt8] = lines.count > 1 ? Array(lines[1]) : []
        if target.last == 0x0a { target.removeLast() }
        return RootEntry(
            kind: kind,
            mode: UInt16(bits & 0o7777),
            user: user,
            group: group,
            size: kind == .file ? size : 0,
            value: kind == .link ? RootPath.escaped(target) : nil
        )
    }

    func content(_ path: RootPath, limit: Int) async throws -> [UInt8]? {
        guard let content = try await ask(["content", path.plain, String(limit + 1)]) else { return nil }
        guard content.count <= limit else {
            throw KilnError(
                .guestTooLarge,
                "\(path) in \(machine) has more than \(limit) bytes, which are not searched",
                hint: "check its 'sha256' or its 'size', or search it in the guest with 'command'",
                exit: .usage
            )
        }
        return content
    }

    func digest(_ path: RootPath) async throws -> ImageDigest? {
        guard let said = try await ask(["digest", path.plain]) else { return nil }
        guard let digest = ImageDigest(String(decoding: said.filter { $0 != 0x0a }, as: UTF8.self)) else {
            throw nonsense("the sha256 of \(path)", said)
        }
        return digest
    }

    // Nothing where there is no such thing.
    private func ask(_ arguments: [String]) async throws -> [UInt8]? {
        let result = try await guests.ask(arguments, in: machine, within: limit)
        return result.status == GuestScript.missing ? nil : result.output
    }

    private func nonsense(_ what: String, _ said: [UInt8]) -> KilnError {
        KilnError(
            .guestNonsense,
            "\(machine) was asked for \(what), and said \(GuestText.line(said))"
        )
    }
}

extension GuestAccess {
    /// Runs the script; that there is no such thing is a result, anything else that goes wrong an error.
    func ask(_ arguments: [String], in machine: MachineID, within limit: Duration) async throws -> GuestCommandResult {
        let line = ["/bin/sh", "-c", GuestScript.text, "kiln"] + arguments
        let result = try await run(GuestCommand(line, deadline: limit), in: machine)
        guard [0, GuestScript.missing, GuestScript.untold].contains(result.status) else {
            throw KilnError(
                .guestRefused,
                "\(machine) can't tell \(arguments.map(Name.quoted).joined(separator: " "))",
                cause: GuestText.line(result.errors)
            )
        }
        return result
    }
}

extension RootEntry.Kind {
    /// The kind in the upper bits of what stat(2) calls the mode.
    init?(modeBits bits: UInt32) {
        switch bits & 0o170000 {
        case 0o100000: self = .file
        case 0o040000: self = .directory
        case 0o120000: self = .link
        case 0o020000: self = .character
        case 0o060000: self = .block
        case 0o010000: self = .pipe
        case 0o140000: self = .socket
        default: return nil
        }
    }
}

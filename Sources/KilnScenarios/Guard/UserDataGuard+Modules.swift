import KilnDocuments

/// Modules and tables, besides commands and scripts, by which a guest formats a device.
extension UserDataGuard {
    /// `swap` of the module mounts: what it names becomes swap space.
    func checkSwap(_ value: Value) {
        checkDevice(Self.fields(of: value)["filename"], "swap")
    }

    /// `lxd`: its storage pools format the device that they get.
    func checkLXD(_ value: Value) {
        let fields = Self.fields(of: value)
        checkDevice(fields["init"].flatMap { Self.fields(of: $0)["storage_create_device"] }, "lxd")
        guard let preseed = fields["preseed"], let text = preseed.plainText else { return }
        let hasDevice = text.split(whereSeparator: \.isNewline).contains { line in
            let words = line.split { $0.isWhitespace || "\"'".contains($0) }
            return words.count == 2 && words[0] == "source:" && Self.kind(of: String(words[1])) == .device
        }
        // That of a device for a container is passed on, and not formatted.
        if hasDevice { preseed.report(FormatFinding(line: 0, program: "lxd", device: nil)) }
    }

    /// `random_seed`: its command is run as it stands.
    func checkRandomSeed(_ value: Value) {
        let fields = Self.fields(of: value)
        guard let command = fields["command"] else { return }
        var run = ShellRun(files: files, fetched: fetched)
        run.variables["RANDOM_SEED_FILE"] = ShellArgument(fields["file"]?.plainText ?? "/dev/urandom")
        run.follow(Self.line(of: command))
        run.findings.forEach(command.report)
    }

    /// A line with `swap` or `tmp` formats its device at each boot.
    static func checkCryptTab(_ text: String, _ content: Value) {
        for line in text.split(whereSeparator: \.isNewline) {
            let words = line.split(whereSeparator: \.isWhitespace).map(String.init)
            guard words.count >= 4, !words[0].hasPrefix("#") else { continue }
            let options = words[3].split(separator: ",")
            guard options.contains(where: { $0 == "swap" || $0 == "tmp" || $0.hasPrefix("tmp=") }) else { continue }
            // As `UUID=…`, which may be that of a volume.
            let isByName = !words[1].hasPrefix("/") && words[1].contains("=")
            let kind = isByName ? .unsure : Self.kind(of: words[1])
            guard kind != .file else { continue }
            let device = kind == .device ? words[1] : nil
            content.report(FormatFinding(line: 0, program: "/etc/crypttab", device: device))
        }
    }

    /// Whether a file that is downloaded as the guest starts will be run by something else than a command of user-data.
    static func isRun(_ path: String, permissions: String?) -> Bool {
        let mayRun = permissions?.suffix(3).contains { "1357".contains($0) } ?? false
        return mayRun || path.hasSuffix(".sh") || path.hasSuffix(".service") || tables.contains(where: path.hasPrefix)
    }

    /// The fields of a map; nothing else has any.
    static func fields(of value: Value) -> [String: Value] {
        guard case .map(let entries) = value.node.content else { return [:] }
        return Dictionary(
            entries.map { ($0.key, Value(node: $0.value, path: "\(value.path).\($0.key)", problems: value.problems)) },
            uniquingKeysWith: { first, _ in first }
        )
    }

    private func checkDevice(_ value: Value?, _ program: String) {
        guard let value, let path = value.plainText else { return }
        switch Self.kind(of: path) {
        case .file: return
        case .device: value.report(FormatFinding(line: 0, program: program, device: path))
        case .unsure: value.report(FormatFinding(line: 0, program: program, device: nil))
        }
    }

    private static func kind(of path: String) -> DevicePath.Kind {
        DevicePath.kind(of: ShellArgument.Value(text: path, isKnown: true), in: "")
    }
}

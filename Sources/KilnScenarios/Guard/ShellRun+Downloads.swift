/// Scripts that come from elsewhere as the script runs: nobody knows what is in them.
extension ShellRun {
    private static let downloaders: Set = ["curl", "wget"]

    /// Where a shell looks for a program that is called by its name.
    private static let programs = [
        "/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin",
    ]

    /// Whether a word may be what a downloader printed.
    ///
    /// That is its name and nothing else: so ``output(of:)`` tells it. A text that only begins with it is a command.
    static func isDownload(_ argument: ShellArgument) -> Bool { argument.values.contains(where: isDownload) }

    static func isDownload(_ value: ShellArgument.Value) -> Bool {
        downloaders.contains { value.text == $0 || value.text.hasSuffix("bin/\($0)") }
    }

    mutating func foundDownload() { found("a downloaded script", nil) }

    /// The script that `name` stands for: a path, or a program in one of the usual places.
    func script(_ name: String) -> String? {
        if let script = files[name] ?? files[place(name)] { return script }
        guard !name.isEmpty, !name.contains("/") else { return nil }
        return Self.programs.lazy.compactMap { files["\($0)/\(name)"] }.first
    }

    /// Whether a shell that gets this file runs what was downloaded.
    func isFetched(_ value: ShellArgument.Value) -> Bool { fetched.contains(place(value.text)) }

    /// Whether a program is a downloaded script: one among the programs of the system is taken for such a program.
    func runsFetched(_ program: ShellArgument.Value) -> Bool {
        program.text.contains("/") && isFetched(program)
            && !Self.programs.contains { place(program.text).hasPrefix("\($0)/") }
    }

    /// Notes the files that a downloader makes.
    mutating func noteDownload(_ name: String, _ arguments: [ShellArgument]) {
        guard Self.downloaders.contains(name) else { return }
        let texts = arguments.compactMap(\.known)
        let named = Self.outputs(name == "curl" ? "o" : "O", texts)
        let isByAddress = name == "wget" ? named.isEmpty : texts.contains { $0 == "--remote-name" || Self.hasO($0) }
        let addresses = isByAddress ? texts.filter { !$0.hasPrefix("-") } : []
        let names = addresses.compactMap { $0.split(separator: "/").last.map(String.init) }
        for path in named + names where path != "-" { fetched.insert(place(path)) }
    }

    private static func hasO(_ option: String) -> Bool {
        option.hasPrefix("-") && !option.hasPrefix("--") && option.contains("O")
    }

    /// What stands behind `-o`, `-fsSLo`, `--output` and such.
    private static func outputs(_ letter: Character, _ texts: [String]) -> [String] {
        texts.enumerated().compactMap { index, text in
            let next = index + 1 < texts.count ? texts[index + 1] : nil
            if text == "--output" || text == "--output-document" { return next }
            if text.hasPrefix("--output") {
                return text.split(separator: "=", maxSplits: 1).dropFirst().first.map(String.init)
            }
            guard text.hasPrefix("-"), !text.hasPrefix("--"), let place = text.firstIndex(of: letter) else {
                return nil
            }
            let rest = String(text[text.index(after: place)...])
            return rest.isEmpty ? next : rest
        }
    }

    /// The path of a file as it is compared.
    func place(_ path: String) -> String {
        let path = DevicePath.normalized(path, in: folder)
        return path.hasPrefix("./") ? String(path.dropFirst(2)) : path
    }
}

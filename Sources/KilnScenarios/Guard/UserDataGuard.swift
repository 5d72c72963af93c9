import Foundation
import KilnDocuments

/// Finds where user-data formats a device: it would run again for every generation, and erase a persistent volume.
struct UserDataGuard {
    private(set) var files: [String: String] = [:]
    /// The files that the guest downloads.
    private(set) var fetched: Set<String> = []

    /// Reports what formats a device as a problem, and what may do so as a warning.
    static func check(_ modules: [(key: String, value: Value)]) {
        var guardian = UserDataGuard()
        for (key, value) in modules where key == "write_files" { value.elements.forEach { guardian.checkFile($0) } }
        for (key, value) in modules {
            switch key {
            case "bootcmd", "runcmd": guardian.checkCommands(value)
            case "swap": guardian.checkSwap(value)
            case "lxd": guardian.checkLXD(value)
            case "random_seed": guardian.checkRandomSeed(value)
            default: continue
            }
        }
    }

    /// The same for a script that is user-data itself.
    static func check(script text: String, _ place: Value) {
        var guardian = UserDataGuard()
        guardian.checkText(text, "user-data.sh", place)
    }

    /// Reports as a warning what a text that is no script of a shell mentions.
    static func check(mentionsIn text: String, _ place: Value) {
        guard let program = FormattingProgram.mentioned(in: text) else { return }
        place.report(FormatFinding(line: 0, program: program, device: nil))
    }

    /// The commands of a module are one script, as cloud-init makes it of them.
    private func checkCommands(_ value: Value) {
        var script = ""
        var starts: [(line: Int, element: Value)] = []
        var line = 0
        for element in value.elements {
            let text = Self.line(of: element) + "\n"
            starts.append((line, element))
            line += text.utf8.count { $0 == 0x0a }
            script += text
        }
        var run = ShellRun(files: files, fetched: fetched)
        run.follow(script)
        for finding in run.findings {
            let element = starts.last { $0.line <= finding.line }?.element
            (element ?? value).report(finding)
        }
    }

    /// A list is one command, each of whose words stands for itself.
    static func line(of element: Value) -> String {
        guard case .list = element.node.content else { return element.plainText ?? "" }
        return element.texts.compactMap(\.plainText)
            .map { "'" + $0.replacing("'", with: #"'\''"#) + "'" }
            .joined(separator: " ")
    }

    private mutating func checkFile(_ file: Value) {
        let fields = Self.fields(of: file)
        let path = fields["path"]?.plainText ?? ""
        if let source = fields["source"] { noteFetched(path, fields["permissions"]?.plainText, source) }
        guard let content = fields["content"], let written = content.plainText else { return }
        switch WrittenText(written, encoding: fields["encoding"]?.plainText) {
        case .unreadable:
            content.warning(
                "the file is compressed, so it can't be judged here: a script in it that formats a device would run "
                    + "again for every generation and erase a persistent volume"
            )
        case .text(let text):
            checkText(text, path, content)
        }
    }

    /// A file that comes from elsewhere is only as bad as what runs it.
    private mutating func noteFetched(_ path: String, _ permissions: String?, _ source: Value) {
        guard Self.isRun(path, permissions: permissions) else { return _ = fetched.insert(path) }
        source.report(FormatFinding(line: 0, program: "a downloaded script", device: nil))
    }

    private mutating func checkText(_ text: String, _ path: String, _ content: Value) {
        if path == "/etc/crypttab" { return Self.checkCryptTab(text, content) }
        let first = String(text.prefix { !$0.isNewline })
        if path.hasSuffix(".service") || path.contains(".service.d/") {
            var run = ShellRun(files: files, fetched: fetched)
            run.follow(Self.commands(ofUnit: text))
            return run.findings.forEach(content.report)
        }
        let interpreter = first.hasPrefix("#!") ? first : ""
        if !interpreter.isEmpty, !interpreter.contains("sh") {
            guard let program = FormattingProgram.mentioned(in: text) else { return }
            return content.report(FormatFinding(line: 0, program: program, device: nil))
        }
        files[path] = text
        if Self.tables.contains(where: path.hasPrefix), let program = FormattingProgram.mentioned(in: text) {
            return content.report(FormatFinding(line: 0, program: program, device: nil))
        }
        // Text without a first line that says so is judged where a command runs it.
        guard !interpreter.isEmpty || path.hasSuffix(".sh") else { return }
        var run = ShellRun(files: files, fetched: fetched)
        run.follow(text)
        run.findings.forEach(content.report)
    }

    /// Where a file runs programs without being a script.
    static let tables = ["/etc/systemd/", "/etc/cron", "/etc/udev/rules.d/", "/var/spool/cron/"]

    private static func commands(ofUnit text: String) -> String {
        text.replacing("\\\n", with: " ").split(whereSeparator: \.isNewline).compactMap { line -> String? in
            let line = line.drop(while: \.isWhitespace)
            guard line.hasPrefix("Exec"), let sign = line.firstIndex(of: "=") else { return nil }
            return String(line[line.index(after: sign)...].drop { "-@:+! ".contains($0) })
        }.joined(separator: "\n")
    }
}

/// The content of a file as cloud-init writes it.
private enum WrittenText {
    case text(String)
    case unreadable

    /// Decodes what stands in user-data.
    init(_ written: String, encoding: String?) {
        let steps = (encoding ?? "").lowercased().split(separator: "+")
        if steps.contains(where: { $0.hasPrefix("gz") }) {
            self = .unreadable
        } else if steps.contains(where: { $0 == "b64" || $0 == "base64" }) {
            let data = Data(base64Encoded: written, options: .ignoreUnknownCharacters) ?? Data()
            self = .text(String(decoding: data, as: UTF8.self))
        } else {
            self = .text(written)
        }
    }
}

extension Value {
    /// A problem where the device is known, and a warning elsewhere.
    func report(_ finding: FormatFinding) {
        let reason = "again for every generation, which erases a persistent volume"
        guard let device = finding.device else {
            let message =
                "'\(finding.program)' may format a device, which can't be known before it runs; if so, it runs "
            return warning(message + reason)
        }
        problem(
            "'\(finding.program)' on the device \(device) is not allowed: it runs \(reason); volumes are formatted once, "
                + "by the host, when they are created"
        )
    }
}

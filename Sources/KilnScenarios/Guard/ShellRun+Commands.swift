extension ShellRun {
    /// Follows one command with its arguments replaced.
    mutating func run(_ arguments: [ShellArgument]) {
        guard let first = arguments.first else { return }
        for value in first.values { run(value, arguments) }
    }

    private mutating func run(_ program: ShellArgument.Value, _ arguments: [ShellArgument]) {
        let rest = Array(arguments.dropFirst())
        guard program.isKnown else { return runUnknown(rest) }
        let name = program.baseName
        if let body = functions[program.text] { return walk(body, rest) }
        if runsFetched(program) { return foundDownload() }
        if let script = script(program.text) { return follow(script, rest) }
        noteDownload(name, rest)
        if Self.shells.contains(name) { return runShell(rest) }
        if Self.wrappers.contains(name) { return runWrapped(name, rest) }
        if let targets = FormattingProgram.targets(name, rest) { return judge(name, targets) }
        if runBuiltin(name, rest) || Self.inert.contains(name) || FormattingProgram.isName(name) { return }
        noteMention(rest)
    }

    /// A program that is not known here gets a text that names a formatting one: it may run that.
    private mutating func noteMention(_ arguments: [ShellArgument]) {
        let texts = arguments.flatMap(\.values).map(\.text)
        if let mentioned = texts.lazy.compactMap(FormattingProgram.mentioned).first { found(mentioned, nil) }
    }

    /// Judges a program by what it writes on.
    mutating func judge(_ program: String, _ targets: [ShellArgument]) {
        let values = targets.map { target in target.values.flatMap { resolved($0) } }
        let kinds = values.map { $0.map { DevicePath.kind(of: $0, in: folder) } }
        if let index = kinds.firstIndex(where: { $0.contains(.device) }) {
            let device = values[index].first { DevicePath.kind(of: $0, in: folder) == .device }
            return found(program, device.map { $0.isKnown ? $0.text : "\($0.text)…" })
        }
        let hasFile = zip(targets, kinds).contains { target, kinds in
            target.known?.contains("/") ?? false && kinds.allSatisfy { $0 == .file }
        }
        for (index, kinds) in kinds.enumerated() where kinds.contains(.unsure) {
            // The value of an option, such as a label, is no device where a file is named as well.
            if hasFile, index > 0, targets[index - 1].isOption { continue }
            if ![">", "tee", "cp"].contains(program) { return found(program, nil) }
        }
    }

    /// The words of a value, each as what its link leads to.
    private func resolved(_ value: ShellArgument.Value) -> [ShellArgument.Value] {
        let words = value.text.split(whereSeparator: \.isWhitespace).map(String.init)
        guard words.count > 1 else { return links[value.text]?.values ?? [value] }
        return words.flatMap { links[$0]?.values ?? [.init(text: $0, isKnown: value.isKnown || $0 != words.last)] }
    }

    /// A program whose name is not known: where it gets a device, or a command, it may be any.
    private mutating func runUnknown(_ arguments: [ShellArgument]) {
        guard let operand = arguments.firstIndex(where: { !$0.isOption }) else { return }
        let isDevice = arguments[operand].values.contains { DevicePath.kind(of: $0, in: folder) == .device }
        if isDevice { found("a program whose name is in a variable", nil) } else { run(Array(arguments[operand...])) }
    }

    /// A program that runs the one among its arguments.
    private mutating func runWrapped(_ name: String, _ arguments: [ShellArgument]) {
        if name == "command", arguments.first?.values.contains(where: { ["-v", "-V"].contains($0.text) }) ?? false {
            return
        }
        for argument in arguments {
            guard let text = argument.known, let sign = text.firstIndex(of: "=") else { continue }
            assign(String(text[..<sign]), [ShellArgument(String(text[text.index(after: sign)...]))])
        }
        guard let start = arguments.firstIndex(where: startsProgram) else { return noteMention(arguments) }
        var command = arguments[start...].map { $0.known == "{}" ? .unknown : $0 }
        if name == "find" { command += arguments[..<start].filter { !$0.isOption } }
        if name == "xargs" || name == "parallel" { command += piped.flatMap(Self.words) + [.unknown] }
        // `su -c TEXT`, `flock FILE -c TEXT`: one word is a whole command.
        if arguments[start].known?.contains(where: \.isWhitespace) ?? false {
            return follow(arguments[start], Array(command.dropFirst()))
        }
        run(command)
    }

    private func startsProgram(_ argument: ShellArgument) -> Bool {
        argument.values.contains { value in
            let name = value.baseName
            return Self.shells.contains(name) || Self.wrappers.contains(name) || Self.inert.contains(name)
                || FormattingProgram.isName(name) || FormattingProgram.others.contains(name)
                || functions[value.text] != nil || script(value.text) != nil || runsFetched(value)
        }
    }

    private static func words(_ argument: ShellArgument) -> [ShellArgument] {
        argument.values.flatMap { value in
            value.text.split(whereSeparator: \.isWhitespace).map { ShellArgument(String($0)) }
        }
    }

    /// `sh -c TEXT`, `sh FILE`, or a shell that reads what is piped into it.
    private mutating func runShell(_ arguments: [ShellArgument]) {
        let operands = Self.operands(ofShell: arguments[...])
        let options = arguments.prefix(arguments.count - operands.count).compactMap(\.known)
        let letters = options.filter { $0.hasPrefix("-") && !$0.hasPrefix("--") }.joined()
        if letters.contains("c"), let text = operands.first {
            if Self.isDownload(text) { foundDownload() }
            variables["0"] = operands.dropFirst().first
            follow(text, Array(operands.dropFirst(2)))
        } else if let file = operands.first, !options.contains("-s"), file.known != "/dev/stdin" {
            runFile(file, Array(operands.dropFirst()))
        } else {
            if piped.contains(where: { Self.isDownload($0) }) { foundDownload() }
            if piped.contains(where: { $0.values.contains { Self.decoders.contains($0.baseName) } }) {
                found("a decoded script", nil)
            }
            piped.forEach { follow($0, nil) }
        }
    }

    /// A file that a shell reads, which may be what `<(…)` prints.
    private mutating func runFile(_ file: ShellArgument, _ arguments: [ShellArgument]?) {
        if Self.isDownload(file) || file.values.contains(where: isFetched) { foundDownload() }
        for script in file.values.compactMap({ script($0.text) }) { follow(script, arguments) }
    }

    /// What follows a shell's options, of which those that end in `o` have a value.
    private static func operands(ofShell arguments: ArraySlice<ShellArgument>) -> ArraySlice<ShellArgument> {
        var rest = arguments
        while let option = rest.first, option.isOption || (option.known?.hasPrefix("+") ?? false) {
            rest = rest.dropFirst()
            if option.known?.hasSuffix("o") ?? false { rest = rest.dropFirst() }
        }
        return rest
    }

    /// Follows a text that is made as the script runs; what is not known of it stands for anything.
    private mutating func follow(_ text: ShellArgument, _ arguments: [ShellArgument]?) {
        for value in text.values {
            follow(value.isKnown ? value.text : value.text + "$?", arguments)
        }
    }

    /// What the shell does itself; answers whether it was that.
    private mutating func runBuiltin(_ name: String, _ arguments: [ShellArgument]) -> Bool {
        switch name {
        case "cd", "pushd":
            folder = arguments.last?.known.map { DevicePath.normalized($0, in: folder) } ?? folder
        case "read", "mapfile":
            let values = piped.flatMap(\.values).filter { DevicePath.kind(of: $0, in: folder) == .device }
            for argument in arguments where !argument.isOption {
                if let name = argument.known { variables[name] = ShellArgument(values + [.unknown]) }
            }
        case "set" where arguments.first?.known == "--":
            positional = Array(arguments.dropFirst())
        case "export", "local", "readonly", "declare", "typeset":
            for argument in arguments {
                guard let name = argument.values.first?.text.prefix(while: { $0 != "=" }),
                    let value = argument.removing("\(name)=")
                else { continue }
                assign(String(name), [value])
            }
        case "eval", "trap":
            if let text = arguments.first, Self.isDownload(text) { foundDownload() }
            follow(Self.joined(arguments), positional)
        case ".", "source":
            if let file = arguments.first { runFile(file, positional) }
        case "ln":
            let paths = arguments.filter { !$0.isOption }
            guard paths.count == 2, let link = paths[1].known,
                FormattingProgram.mentioned(in: paths[0].known ?? "") == nil
            else { return false }
            links[link] = paths[0]
        default:
            return false
        }
        return true
    }

    private static let shells: Set = ["sh", "bash", "dash", "ash", "zsh", "ksh"]

    private static let wrappers: Set = [
        "sudo", "doas", "su", "runuser", "env", "nohup", "exec", "command", "builtin", "nice", "ionice", "chrt",
        "timeout",
        "setsid", "setpriv", "chroot", "flock", "busybox", "toybox", "stdbuf", "unshare", "nsenter", "systemd-run",
        "systemd-inhibit", "xargs", "find", "parallel", "watch", "strace", "cloud-init-per", "script", "time",
    ]

    /// Programs that may name another one without running it.
    private static let inert: Set = [
        "echo", "printf", "test", "[", "[[", "type", "which", "hash", "whereis", "man", "logger", "cat", "ls", "rm",
        "mv",
        "chmod", "chown", "stat", "file", "touch", "mkdir", "grep", "egrep", "sed", "head", "tail", "wc", "dpkg",
        "apt-get",
        "apt", "dnf", "yum", "apk", "apt-cache", "rpm", "systemctl", "pkill", "killall", "pgrep", ":", "true", "false",
        "exit", "return", "dpkg-query", "mount", "umount", "blkid", "lsblk", "tune2fs", "e2fsck", "fsck", "e2label",
        "truncate", "fallocate", "install", "tar", "curl", "wget", "basename", "dirname", "readlink", "realpath",
        "update-alternatives", "apt-mark", "useradd", "adduser", "sync", "sleep", "date", "export", "modprobe",
        "service",
        "pip", "pip3", "snap", "zypper", "dracut", "update-initramfs",
    ]

    private static let decoders: Set = ["base64", "base32", "xxd", "openssl", "gzip", "gunzip", "zcat", "xz", "xzcat"]
}

import KilnDocuments
import KilnModel

/// What is wrong with single modules of a cloud-config, where cloud-init would say so in the guest, or not at all.
extension UserDataDecoder {
    /// Checks what stands below a top-level key, which has a place of its own.
    func check(_ value: Value, _ key: Value, _ name: String) {
        switch name {
        case "fs_setup", "disk_setup":
            return key.problem(
                "not allowed: cloud-init runs it again for every generation, which erases a persistent volume; "
                    + "volumes are formatted once, by the host, when they are created"
            )
        case "bootcmd", "runcmd": checkCommands(value)
        case "mounts" where image?.cloudInit == .subset: value.elements.forEach(checkMount)
        case "write_files": value.elements.forEach(checkFile)
        default: break
        }
        if let remark = review.remark(on: name, value.node.json) { key.warning(remark) }
    }

    // cloud-init writes each as a line of a script; anything else ends the module with an error.
    private func checkCommands(_ value: Value) {
        guard case .list = value.node.content else { return value.mismatch("a list of commands") }
        for element in value.elements {
            switch element.node.content {
            case .list: element.elements.forEach(checkWord)
            case .scalar(let scalar) where scalar.meaning == .text || scalar.meaning == .nothing: continue
            case .map: element.problem("expected a command, found a map: put it in quotes where it has ': ' in it")
            default: element.mismatch("a command: text, or a list of words")
            }
        }
    }

    private func checkWord(_ word: Value) {
        guard case .scalar(let scalar) = word.node.content else { return word.mismatch("a word of a command") }
        switch scalar.meaning {
        case .text: break
        case .bool, .nothing: word.mismatch("a word of a command, in quotes")
        case .whole(let number) where String(number) != scalar.text:
            word.warning(
                "cloud-init reads \(scalar.text) as the number \(number); put it in quotes where the digits are meant"
            )
        case .whole, .fraction: break
        }
    }

    private func checkFile(_ file: Value) {
        guard case .map(let entries) = file.node.content else { return }
        for entry in entries {
            let field = Value(node: entry.value, path: "\(file.path).\(entry.key)", problems: file.problems)
            if entry.key == "content", case .scalar(let scalar) = entry.value.content,
                scalar.meaning != .text, scalar.meaning != .nothing
            {
                field.problem(
                    "expected text, found \(scalar.found); put it in quotes to make it text: \"\(scalar.text)\""
                )
            }
            if entry.key == "permissions", case .scalar(let scalar) = entry.value.content,
                let warning = WrittenMode(scalar)?.warning
            {
                field.warning(warning)
            }
            if image?.cloudInit == .subset, !Self.subsetOfFile.contains(entry.key) {
                field.placed(at: entry.position).warning("the image has a subset of cloud-init, which does not do it")
            }
        }
    }

    // What has no path is swap, or nothing to mount.
    private func checkMount(_ mount: Value) {
        let fields = mount.node.json.array ?? []
        guard fields.count > 1, fields[1] != .null, fields[1].string?.hasPrefix("/") != true else { return }
        mount.warning("the image has a subset of cloud-init, which mounts at paths only and does not do this")
    }

    // See Images/README.md.
    private static let subsetOfFile: Set = ["path", "content", "encoding", "permissions", "owner", "append", "defer"]

    /// Checks what `${servers.NAME.ports.NAME}` and `${external.NAME.FIELD}` name in a text of the user-data of `server`.
    static func checkReferences(
        _ value: Value,
        from server: Name,
        _ network: ServerSpec.Network,
        _ lab: DecodedLab
    ) {
        if let text = value.plainText {
            lab.externals.check(text, at: value)
            if network == .isolated, lab.externals.areNamed(in: text) {
                value.problem(ExternalNames.isolated(server))
            }
        }
        for miss in value.plainText.map(PortReference.nearMisses) ?? [] { warn(value, ofNearMiss: miss) }
        for expression in value.plainText.map(PortReference.expressions) ?? [] {
            guard let reference = PortReference(expression: expression) else {
                if isNearMiss(expression) { warn(value, ofNearMiss: expression) }
                continue
            }
            let names = lab.servers.map(\.name)
            guard value.reference("server", text: reference.server.text, among: names) != nil,
                let target = lab.server(reference.server),
                value.reference("port of '\(target.name)'", text: reference.port.text, among: target.ports) != nil
            else { continue }
            if network == .isolated {
                value.problem("'\(server)' is isolated and can't reach '\(target.name)'; say 'network: open'")
            }
        }
    }

    private static func warn(_ value: Value, ofNearMiss expression: String) {
        value.warning(
            "\(Name.quoted("${\(expression)}")) stays as it is written; only ${servers.NAME.ports.NAME} becomes a port"
        )
    }

    // Files of other programs have such expressions too, as '${server.port}' of Spring: it takes more than the first word.
    private static func isNearMiss(_ expression: String) -> Bool {
        let parts = expression.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        if parts[0] == "servers" { return true }
        return parts.count == 4 && Suggestion.nearest(to: parts[0], among: ["servers"]) != nil
    }
}

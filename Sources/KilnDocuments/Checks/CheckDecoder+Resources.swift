import KilnModel

// What is expected of a resource: all fields are read before anything is given up, so that all problems are reported.
extension CheckDecoder {
    func resource(_ kind: ProbeFields<Place>, _ value: Value) -> Check? {
        switch kind {
        case .package: packageCheck(value)
        case .service: serviceCheck(value)
        case .port: portCheck(value)
        case .process: processCheck(value)
        case .user: userCheck(value)
        case .group: groupCheck(value)
        case .command: commandCheck(value)
        case .mount: mountCheck(value)
        default: fileCheck(value)
        }
    }

    private func fileCheck(_ value: Value) -> Check? {
        guard let fields = fields(FileResourceFields.self, value, "a map with 'path'") else { return nil }
        let path = fields[.probe(.path)]?.guestFile()
        var found = FileResource(path: path ?? .root)
        found.exists = fields[.probe(.exists)]?.bool() ?? true
        let type = fields.either(.type, .filetype)
        found.type = type?.word(FileResource.Kind.self)
        found.mode = fields[.probe(.mode)]?.mode()
        found.owner = fields[.probe(.owner)]?.pattern()
        found.group = fields[.probe(.group)]?.pattern()
        found.size = fields[.probe(.size)]?.number()
        found.contents = fields[.probe(.contents)]?.patterns()
        found.sha256 = fields[.probe(.sha256)]?.sha256()
        found.linkedTo = fields[.probe(.linkedTo)]?.pattern()
        fields.refuseAttributes(of: found.exists == false, but: [.path, .exists], "what does not exist")
        return check(path.map { _ in .resource(.file(found)) }, fields)
    }

    private func packageCheck(_ value: Value) -> Check? {
        guard let fields = fields(PackageResourceFields.self, value, "a map with 'name'") else { return nil }
        let name = fields[.probe(.name)]?.text(.packageName)
        var found = PackageResource(name: name ?? "")
        found.installed = fields[.probe(.installed)]?.bool() ?? true
        found.versions = fields.either(.version, .versions)?.patterns()
        fields.refuseAttributes(of: found.installed == false, but: [.name, .installed], "what is not installed")
        return check(name.map { _ in .resource(.package(found)) }, fields)
    }

    private func serviceCheck(_ value: Value) -> Check? {
        guard let fields = fields(ServiceResourceFields.self, value, "a map with 'name'") else { return nil }
        let name = fields[.probe(.name)]?.text(.unit)
        let enabled = fields[.probe(.enabled)]?.bool()
        let running = fields[.probe(.running)]?.bool()
        if fields[.probe(.enabled)] == nil, fields[.probe(.running)] == nil {
            value.problem("it asserts nothing: add 'running: true' or 'enabled: true'")
        }
        return check(
            name.map { .resource(.service(ServiceResource(name: $0, enabled: enabled, running: running))) },
            fields
        )
    }

    private func portCheck(_ value: Value) -> Check? {
        guard let fields = fields(PortResourceFields.self, value, "a map with 'port', such as tcp:22") else {
            return nil
        }
        if let listening = fields[.probe(.listening)], listening.isTruth {
            listening.problem(
                "that something listens is what 'port' expects: leave it out, or say 'not: { port: … }' where nothing may"
            )
            return nil
        }
        let written = fields.either(.port, .listening)
        if written == nil { value.problem("the field 'port' is missing, such as 'port: tcp:22'") }
        var port = written?.socket()
        let ip = fields[.probe(.ip)]?.patterns()
        port?.ip = ip
        return check(port.map { .resource(.port($0)) }, fields)
    }

    private func processCheck(_ value: Value) -> Check? {
        guard let fields = fields(ProcessResourceFields.self, value, "a map with 'name'") else { return nil }
        let name = fields[.probe(.name)]?.text(.processName)
        var found = ProcessResource(name: name ?? "")
        found.running = fields[.probe(.running)]?.bool() ?? true
        found.count = fields[.probe(.count)]?.number()
        fields.refuseAttributes(of: found.running == false, but: [.name, .running], "what does not run")
        return check(name.map { _ in .resource(.process(found)) }, fields)
    }

    private func userCheck(_ value: Value) -> Check? {
        guard let fields = fields(UserResourceFields.self, value, "a map with 'name'") else { return nil }
        let name = fields[.probe(.name)]?.text(.account)
        var found = UserResource(name: name ?? "")
        found.exists = fields[.probe(.exists)]?.bool() ?? true
        found.uid = fields[.probe(.uid)]?.number()
        found.gid = fields[.probe(.gid)]?.number()
        found.home = fields[.probe(.home)]?.pattern()
        found.shell = fields[.probe(.shell)]?.pattern()
        found.groups = fields[.probe(.groups)]?.patterns()
        fields.refuseAttributes(of: found.exists == false, but: [.name, .exists], "what does not exist")
        return check(name.map { _ in .resource(.user(found)) }, fields)
    }

    private func groupCheck(_ value: Value) -> Check? {
        guard let fields = fields(GroupResourceFields.self, value, "a map with 'name'") else { return nil }
        let name = fields[.probe(.name)]?.text(.account)
        var found = GroupResource(name: name ?? "")
        found.exists = fields[.probe(.exists)]?.bool() ?? true
        found.gid = fields[.probe(.gid)]?.number()
        fields.refuseAttributes(of: found.exists == false, but: [.name, .exists], "what does not exist")
        return check(name.map { _ in .resource(.group(found)) }, fields)
    }

    private func commandCheck(_ value: Value) -> Check? {
        guard let fields = fields(CommandResourceFields.self, value, "a map with 'run'") else { return nil }
        let run = fields[.probe(.run)]?.command()
        var found = CommandResource(run: run ?? [])
        found.exitStatus = fields[.probe(.exitStatus)]?.number() ?? NumberCondition(0)
        found.stdout = fields[.probe(.stdout)]?.patterns()
        found.stderr = fields[.probe(.stderr)]?.patterns()
        return check(run.map { _ in .resource(.command(found)) }, fields)
    }

    private func mountCheck(_ value: Value) -> Check? {
        guard let fields = fields(MountResourceFields.self, value, "a map with 'path'") else { return nil }
        let path = fields[.probe(.path)]?.guestFile()
        var found = MountResource(path: path ?? .root)
        found.exists = fields[.probe(.exists)]?.bool() ?? true
        found.source = fields[.probe(.source)]?.pattern()
        found.filesystem = fields[.probe(.filesystem)]?.pattern()
        found.opts = fields[.probe(.opts)]?.patterns()
        fields.refuseAttributes(of: found.exists == false, but: [.path, .exists], "what is not mounted")
        return check(path.map { _ in .resource(.mount(found)) }, fields)
    }
}

extension Value {
    /// Whether it is written as true or false.
    fileprivate var isTruth: Bool {
        guard case .scalar(let scalar) = node.content else { return false }
        return scalar.isPlain && ["true", "false"].contains(scalar.text)
    }
}

extension Fields {
    /// The value of a field that has two names; both at once are refused.
    fileprivate func either<Probe, Settings>(_ name: Probe, _ other: Probe) -> Value?
    where Field == JoinedFields<Probe, Settings> {
        let (first, second) = (self[.probe(name)], self[.probe(other)])
        if first != nil { second?.problem("it is another word for '\(name.rawValue)', which is there already") }
        return first ?? second
    }

    /// Reports what is said of something that is not to be there.
    fileprivate func refuseAttributes<Probe, Settings>(of isAbsent: Bool, but own: [Probe], _ what: String)
    where Field == JoinedFields<Probe, Settings> {
        guard isAbsent else { return }
        for field in Probe.allCases where !own.contains(field) {
            self[.probe(field)]?.problem("\(what) has no '\(field.rawValue)'")
        }
    }
}

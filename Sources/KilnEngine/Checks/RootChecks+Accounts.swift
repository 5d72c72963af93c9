import KilnModel

extension RootChecks {
    func observations(of package: PackageResource) async throws -> [Observation] {
        let subject = "package \(package.name)"
        guard let path = RootPath("/var/lib/dpkg/status"),
            let status = try await root.content(path, limit: Self.longestPackages)
        else {
            return [.untold(subject, expected: "installed", "there is no list of packages, /var/lib/dpkg/status")]
        }
        let versions = DpkgStatus.versions(of: package.name, in: status)
        let presence = Observation.presence(subject, package.installed, !versions.isEmpty, as: "installed")
        guard package.installed, !versions.isEmpty else { return [presence] }
        return [presence] + Observation.values(subject, "version", package.versions ?? [], versions)
    }

    func observations(of user: UserResource) async throws -> [Observation] {
        let subject = "user \(user.name)"
        let accounts = try await accounts()
        let found = accounts.users.first { $0.name == user.name }
        let presence = Observation.presence(subject, user.exists, found != nil)
        guard let found, user.exists else { return [presence] }
        var seen = [presence]
        if let uid = user.uid { seen.append(.number(subject, "uid", uid, Int(found.number))) }
        if let gid = user.gid { seen.append(.number(subject, "gid", gid, Int(found.group))) }
        if let home = user.home { seen.append(.value(subject, "home", home, [found.home], "")) }
        if let shell = user.shell { seen.append(.value(subject, "shell", shell, [found.shell], "")) }
        return seen + Observation.values(subject, "groups", user.groups ?? [], accounts.groups(of: found))
    }

    func observations(of group: GroupResource) async throws -> [Observation] {
        let subject = "group \(group.name)"
        let found = try await accounts().groups.first { $0.name == group.name }
        let presence = Observation.presence(subject, group.exists, found != nil)
        guard let found, group.exists, let gid = group.gid else { return [presence] }
        return [presence, .number(subject, "gid", gid, Int(found.number))]
    }
}

/// The accounts of a root; lines that are none are passed over.
struct AccountList {
    struct User {
        let name: String
        let number: UInt32
        let group: UInt32
        let home: String
        let shell: String
    }

    struct Group {
        let name: String
        let number: UInt32
        let members: [String]
    }

    let users: [User]
    let groups: [Group]

    // https://man7.org/linux/man-pages/man5/passwd.5.html and group.5
    init(passwd: [UInt8], group: [UInt8]) {
        users = Self.lines(passwd).compactMap { fields in
            guard fields.count >= 7, let number = UInt32(fields[2]), let group = UInt32(fields[3]) else { return nil }
            return User(name: fields[0], number: number, group: group, home: fields[5], shell: fields[6])
        }
        groups = Self.lines(group).compactMap { fields in
            guard fields.count >= 4, let number = UInt32(fields[2]) else { return nil }
            return Group(name: fields[0], number: number, members: fields[3].split(separator: ",").map(String.init))
        }
    }

    /// The names of the groups that a user is in.
    func groups(of user: User) -> [String] {
        groups.filter { $0.number == user.group || $0.members.contains(user.name) }.map(\.name)
    }

    private static func lines(_ bytes: [UInt8]) -> [[String]] {
        bytes.split(separator: 0x0a).map { line in
            line.split(separator: 0x3a, omittingEmptySubsequences: false).map { String(decoding: $0, as: UTF8.self) }
        }
    }
}

/// Debian's list of packages.
enum DpkgStatus {
    /// The versions in which a package is installed: one for each architecture.
    static func versions(of name: String, in status: [UInt8]) -> [String] {
        let wanted = Array("Package: \(name)".utf8)
        var versions: [String] = []
        var isWanted = false, isInstalled = false
        for line in status.split(separator: 0x0a, omittingEmptySubsequences: false) {
            if line.isEmpty {
                (isWanted, isInstalled) = (false, false)
            } else if line.starts(with: packageField) {
                isWanted = line.elementsEqual(wanted)
            } else if isWanted, line.starts(with: statusField) {
                // The want, an error flag, and the state: https://man7.org/linux/man-pages/man1/dpkg-query.1.html
                isInstalled = line.split(separator: 0x20).last.map { $0.elementsEqual(installed) } ?? false
            } else if isWanted, isInstalled, line.starts(with: versionField) {
                versions.append(String(decoding: line.dropFirst(versionField.count), as: UTF8.self))
            }
        }
        return versions
    }

    private static let packageField = Array("Package: ".utf8)
    private static let statusField = Array("Status: ".utf8)
    private static let versionField = Array("Version: ".utf8)
    private static let installed = Array("installed".utf8)
}

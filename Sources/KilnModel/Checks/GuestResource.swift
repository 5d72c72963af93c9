/// Something in a guest, and what is expected of it, in goss's words.
///
/// https://goss.rocks/gossfile/
public enum GuestResource: Sendable, Hashable {
    /// What lies at a path.
    case file(FileResource)
    /// A Debian package.
    case package(PackageResource)
    /// A unit of systemd.
    case service(ServiceResource)
    /// A port on which something listens.
    case port(PortResource)
    /// Processes of a name.
    case process(ProcessResource)
    /// An account.
    case user(UserResource)
    /// A group of accounts.
    case group(GroupResource)
    /// What a command says, and how it ends.
    case command(CommandResource)
    /// What is mounted at a path.
    case mount(MountResource)

    /// Whether files tell it, so that it can be looked at without a running machine.
    public var isOffline: Bool {
        switch self {
        case .file, .package, .user, .group: true
        case .service, .port, .process, .command, .mount: false
        }
    }
}

extension GuestResource: CustomStringConvertible {
    /// The kind and the name, such as `service ssh`.
    public var description: String {
        switch self {
        case .file(let file): "file \(file.path)"
        case .package(let package): "package \(package.name)"
        case .service(let service): "service \(service.name)"
        case .port(let port): "port \(port.socket)"
        case .process(let process): "process \(process.name)"
        case .user(let user): "user \(user.name)"
        case .group(let group): "group \(group.name)"
        case .command(let command): "command \(command.title)"
        case .mount(let mount): "mount \(mount.path)"
        }
    }
}

// A map of one field, the kind, as probes are written on disk.
extension GuestResource: Codable {
    private enum Kind: String, CodingKey, CaseIterable {
        case file, package, service, port, process, user, group, command, mount
    }

    /// Decodes a resource.
    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: Kind.self)
        switch fields.allKeys.first {
        case .file: self = .file(try fields.decode(FileResource.self, forKey: .file))
        case .package: self = .package(try fields.decode(PackageResource.self, forKey: .package))
        case .service: self = .service(try fields.decode(ServiceResource.self, forKey: .service))
        case .port: self = .port(try fields.decode(PortResource.self, forKey: .port))
        case .process: self = .process(try fields.decode(ProcessResource.self, forKey: .process))
        case .user: self = .user(try fields.decode(UserResource.self, forKey: .user))
        case .group: self = .group(try fields.decode(GroupResource.self, forKey: .group))
        case .command: self = .command(try fields.decode(CommandResource.self, forKey: .command))
        case .mount: self = .mount(try fields.decode(MountResource.self, forKey: .mount))
        case nil:
            let words = Kind.allCases.map(\.rawValue).joined(separator: ", ")
            throw DecodingError.dataCorrupted(
                .init(codingPath: decoder.codingPath, debugDescription: "expected a resource: one of \(words)")
            )
        }
    }

    /// Encodes a resource.
    public func encode(to encoder: any Encoder) throws {
        var fields = encoder.container(keyedBy: Kind.self)
        switch self {
        case .file(let file): try fields.encode(file, forKey: .file)
        case .package(let package): try fields.encode(package, forKey: .package)
        case .service(let service): try fields.encode(service, forKey: .service)
        case .port(let port): try fields.encode(port, forKey: .port)
        case .process(let process): try fields.encode(process, forKey: .process)
        case .user(let user): try fields.encode(user, forKey: .user)
        case .group(let group): try fields.encode(group, forKey: .group)
        case .command(let command): try fields.encode(command, forKey: .command)
        case .mount(let mount): try fields.encode(mount, forKey: .mount)
        }
    }
}

import KilnEngine
import KilnModel

/// The files of a sealed image, of which some can be read without a machine.
public protocol SealedRoot: RootFiles {
    /// Whether it tells all that a probe asks, which is one that files can tell; else a machine has to be asked.
    func tells(_ probe: Probe) -> Bool
}

extension Probe {
    /// The files whose content has to be read to look at it.
    var contentPaths: [RootPath] {
        leaves.flatMap { leaf -> [RootPath] in
            guard case .resource(let resource) = leaf else { return [] }
            return resource.contentPaths
        }
    }
}

extension GuestResource {
    /// The lists of accounts, in which names of owners are found.
    private static let accounts = ["/etc/passwd", "/etc/group"].compactMap { RootPath($0) }

    fileprivate var contentPaths: [RootPath] {
        switch self {
        case .file(let file):
            (file.contents == nil ? [] : [file.path])
                + (file.owner == nil && file.group == nil ? [] : Self.accounts)
        case .package: [RootPath("/var/lib/dpkg/status")].compactMap(\.self)
        case .user, .group: Self.accounts
        case .service, .port, .process, .command, .mount: []
        }
    }
}

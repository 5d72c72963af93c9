import ArgumentParser
import KilnModel

/// A volume as a user names it: `LAB/NAME`.
struct VolumePath: ExpressibleByArgument, CustomStringConvertible, Sendable, Hashable {
    let lab: Name
    let name: Name

    init?(argument: String) {
        let parts = argument.split(separator: "/", omittingEmptySubsequences: false).map { try? Name(String($0)) }
        guard parts.count == 2, let lab = parts[0], let name = parts[1] else { return nil }
        self.lab = lab
        self.name = name
    }

    // Asked for each time: a list of values would become part of the script.
    static var defaultCompletionKind: CompletionKind { .volumes }

    var description: String { "\(lab)/\(name)" }
}

extension Name: ExpressibleByArgument {
    /// Reads a name; nothing where it is none.
    public init?(argument: String) { try? self.init(argument) }
}

extension ByteCount: ExpressibleByArgument {
    /// Reads a size such as `2GiB`; nothing where it is none.
    public init?(argument: String) { self.init(argument) }
}

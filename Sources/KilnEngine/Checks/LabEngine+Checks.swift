import Foundation
import KilnModel
import KilnStore

extension LabEngine {
    /// What looks at a server's machine that runs.
    ///
    /// - Throws: `KilnError` where there is no such server, or no machine of it.
    public func checks(on id: MemberID) throws -> GuestChecks {
        let machine = try machine(id)
        return GuestChecks(
            guests: parts.guests,
            network: parts.network,
            machine: machine,
            forwards: try existing(id).ports(of: machine)
        )
    }

    /// The first line on a server's console, since it was booted last, that tells of something fatal; nothing where none does.
    public func fatalLine(on id: MemberID) throws -> String? {
        try existing(id).console(of: try machine(id)).fatalLine
    }

    /// What the console of a server's machine said, since it was made, the last 4 MiB of it; hostile bytes.
    public func console(of id: MemberID) throws -> Data { ConsoleLog(path: try consoleLog(id)).everything }

    /// The id that the kernel of a server's guest has had since it booted.
    ///
    /// - Throws: `KilnError` where the guest can't be asked.
    public func bootID(of id: MemberID) async throws -> String { try await existing(id).bootID(of: try machine(id)) }

    /// The image that a channel points to.
    ///
    /// - Throws: `KilnError` where it points to nothing, or to what can't be used.
    public func target(of channel: Name, of image: Name) throws -> ServerStatus.Image {
        let reference = ImageReference(name: image, selector: .channel(channel))
        let manifest = try parts.images.usable(reference, .any).manifest
        return ServerStatus.Image(name: manifest.name, version: manifest.version, digest: manifest.digest)
    }
}

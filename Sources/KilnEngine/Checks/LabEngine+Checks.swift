import KilnModel

extension LabEngine {
    /// What looks at a server's machine that runs.
    ///
    /// - Throws: `KilnError` where there is no such server, or no machine of it.
    public func checks(on id: ServerID) throws -> GuestChecks {
        let machine = try machine(id)
        return GuestChecks(
            guests: parts.guests,
            network: parts.network,
            machine: machine,
            forwards: try existing(id).publishedPorts(of: machine)
        )
    }

    /// The first line on a server's console, since it was booted last, that tells of something fatal; nothing where none does.
    public func fatalLine(on id: ServerID) throws -> String? {
        try existing(id).console(of: try machine(id)).fatalLine
    }
}

extension ServerID {
    /// The server that a user names: `NAME` where only one lab has it, else `LAB/NAME`.
    ///
    /// - Throws: `KilnError` with code `server.unknown` or `server.ambiguous`; both list what could be meant.
    public static func resolve(_ text: String, among servers: [ServerID]) throws -> ServerID {
        let found = servers.filter { text.contains("/") ? $0.description == text : $0.server.text == text }.sorted()
        if let only = found.first, found.count == 1 { return only }
        guard found.isEmpty else {
            throw KilnError(
                "server.ambiguous",
                "\(Name.quoted(text)) names \(found.count) servers: \(list(found))",
                hint: "say which: LAB/NAME",
                exit: .usage
            )
        }
        throw KilnError(
            "server.unknown",
            "there is no server \(Name.quoted(text))",
            hint: servers.isEmpty
                ? "no lab is up; bring one up with 'kiln up'" : "the servers are: \(list(servers.sorted()))",
            exit: .usage
        )
    }

    private static func list(_ servers: [ServerID]) -> String {
        let shown = servers.prefix(10).map(\.description).joined(separator: ", ")
        return servers.count > 10 ? "\(shown) and \(servers.count - 10) more" : shown
    }
}

import KilnEngine
import KilnModel

extension LedgerPlan {
    /// The way by which its records go.
    func way(to server: MemberID, _ engine: LabEngine, _ network: any NetworkProbe) -> any LedgerPath {
        switch path {
        case .agent(let file):
            return AgentPath(engine: engine, server: server, file: file, interval: interval)
        case .http(let service):
            return ServicePath(
                open: {
                    let number = try await engine.hostPort(service.port, of: server)
                    return HTTPLedgerConnection(service: service, port: number, network: network)
                },
                read: {
                    switch service.contents {
                    case .file(let file): return try await engine.read(file, on: server) ?? []
                    case .path(let path):
                        let number = try await engine.hostPort(service.port, of: server)
                        return try await service.contents(at: path, on: number, network)
                    }
                },
                connections: connections,
                pace: RecordPace(interval)
            )
        case .sql(let table): return way(to: server, table, engine)
        case .external: return way(to: server, nil, engine)
        }
    }

    private func way(to server: MemberID, _ table: LedgerTable?, _ engine: LabEngine) -> any LedgerPath {
        let open = { @Sendable [name] () async throws -> SQLLedgerConnection in
            let (login, port) = try await engine.database(table, of: server)
            return try await SQLLedgerConnection.open(login, port: port, ledger: name)
        }
        return ServicePath(
            open: open,
            read: {
                let connection = try await open()
                do {
                    let contents = try await connection.contents()
                    await connection.close()
                    return contents
                } catch {
                    await connection.close()
                    throw error
                }
            },
            connections: connections,
            pace: RecordPace(interval)
        )
    }
}

extension LabEngine {
    /// Whom a database takes a session for, and the port of this host that leads to it.
    ///
    /// - Parameter table: the database of a server; nothing where `server` names an external service.
    /// - Throws: ``Unmet`` or `KilnError` where there is none now.
    func database(_ table: LedgerTable?, of server: MemberID) async throws -> (login: SQLLogin, port: UInt16) {
        if let table { return (table.login, try await hostPort(table.port, of: server)) }
        let access = try externalAccess(ExternalID(lab: server.lab, name: server.server))
        guard let database = SQLName(access.database), let user = SQLName(access.user) else {
            throw Unmet("\(server): names of a database and its user expected, others found")
        }
        return (SQLLogin(database: database, user: user, password: access.password), access.port)
    }

    /// The port of this host that leads to a published port of a server.
    ///
    /// - Throws: ``Unmet`` where the server publishes none of that name now.
    func hostPort(_ port: Name, of server: MemberID) async throws -> UInt16 {
        guard let found = try await status(server).ports[port] else {
            throw Unmet("\(server): a published port '\(port)' expected, none found")
        }
        return found.host
    }
}

import Foundation
import KilnModel
import KilnSystem

/// Who is there, and whom a user means.
extension LabEngine {
    /// All members of all servers, by lab, name and ordinal.
    public func members() throws -> [MemberID] {
        names(in: state.labs).flatMap { lab in
            names(in: "\(state.lab(lab))/servers").flatMap { members(of: ServerID(lab: lab, server: $0)) }
        }
    }

    /// The members that a server has, by ordinal; none where there is no such server.
    public func members(of server: ServerID) -> [MemberID] {
        guard FileManager.default.fileExists(atPath: state.server(server)) else { return [] }
        let entries = (try? FileManager.default.contentsOfDirectory(atPath: state.members(server))) ?? []
        let others = entries.compactMap(Int.init).filter { (1..<MemberID.most).contains($0) }
        return ([0] + others.sorted()).map(server.member)
    }

    /// The one member that a user means by `NAME`, `LAB/NAME` or `NAME.ORDINAL`.
    ///
    /// - Throws: `server.missing` or `server.ambiguous`, which lists the candidates; `server.several` where the server has several
    ///   members and the text does not say which.
    public func member(named text: String) throws -> MemberID {
        let found = try members(named: text)
        if let only = found.first, found.count == 1 { return only }
        let each = found.map { "\($0.whole).\($0.ordinal)" }.joined(separator: ", ")
        throw KilnError(
            .serverSeveral,
            "\(Name.quoted(text)) has \(found.count) members, and this is for one of them",
            hint: "say which: \(each)",
            exit: .usage
        )
    }

    /// The members that a user means: all of a server by `NAME` or `LAB/NAME`, one by `NAME.ORDINAL`.
    ///
    /// - Throws: `server.missing` or `server.ambiguous`, which lists the candidates.
    public func members(named text: String) throws -> [MemberID] { try meant(by: text).1 }

    private func meant(by text: String) throws -> (ServerID, [MemberID]) {
        let all = try members()
        if let one = try one(all.filter { $0.isMeant(by: text) }, text) { return (one.whole, [one]) }
        let servers = Set(all.map(\.whole)).filter { $0.description == text || $0.server.text == text }.sorted()
        if let server = try one(servers, text) { return (server, members(of: server)) }
        throw KilnError(
            .serverMissing,
            "there is no server \(Name.quoted(text))",
            hint: all.isEmpty ? "there is none yet: 'kiln up'" : known(all, besides: text),
            exit: .usage
        )
    }

    private func known(_ all: [MemberID], besides text: String) -> String {
        let siblings = all.filter { text.hasPrefix("\($0.whole).") || text.hasPrefix("\($0.server).") }
        guard siblings.isEmpty else {
            return "the members are: " + siblings.map { "\($0.whole).\($0.ordinal)" }.joined(separator: ", ")
        }
        return "the servers are: " + Set(all.map(\.whole)).sorted().map(\.description).joined(separator: ", ")
    }

    /// The server that a user means by `NAME`, where one lab has it, or by `LAB/NAME`.
    ///
    /// - Throws: `server.missing` or `server.ambiguous`, which lists the candidates; `server.several` where the text means one of
    ///   several members.
    public func server(named text: String) throws -> ServerID {
        let (server, meant) = try meant(by: text)
        guard let one = meant.first, meant.count == 1, one.isMeant(by: text), members(of: server).count > 1 else {
            return server
        }
        throw KilnError(
            .serverSeveral,
            "\(Name.quoted(text)) is one of \(members(of: server).count) members, and this is for all of \(server)",
            hint: "leave the number out: '\(server)'",
            exit: .usage
        )
    }

    private func one<ID: CustomStringConvertible>(_ found: [ID], _ text: String) throws -> ID? {
        guard found.count > 1 else { return found.first }
        throw KilnError(
            .serverAmbiguous,
            "\(found.count) labs have a server \(Name.quoted(text))",
            hint: "say which: \(found.map(\.description).joined(separator: ", "))",
            exit: .usage
        )
    }

    /// Shuts members down, as ``stop(_:force:)`` does, one after the other.
    public func stop(_ ids: [MemberID], force: Bool) async throws {
        for id in ids { try await stop(id, force: force) }
    }

    /// Starts members, as ``start(_:)`` does, as many at once as the host has processors.
    public func start(_ ids: [MemberID]) async throws {
        _ = try await together(ids, atOnce: ProcessInfo.processInfo.activeProcessorCount) { try await start($0) }
    }

    /// Waits until all of these are ready.
    public func awaitReady(_ ids: [MemberID]) async throws {
        _ = try await together(ids, atOnce: ids.count) { try await awaitReady($0) }
    }

    /// Does something with several members at once, at most so many at a time; what fails for one keeps no other from being done.
    ///
    /// - Throws: the error of the first that failed, once all have ended; those of the others are said.
    func together<ID: Sendable & Comparable & CustomStringConvertible, Result: Sendable>(
        _ ids: [ID],
        atOnce limit: Int,
        _ body: @escaping @Sendable (ID) async throws -> Result
    ) async throws -> [Result] {
        let ends = await withTaskGroup(of: (ID, Swift.Result<Result, any Error>).self) { group in
            var waiting = ids[...]
            func next() {
                guard let id = waiting.popFirst() else { return }
                group.addTask {
                    do { return (id, .success(try await body(id))) } catch { return (id, .failure(error)) }
                }
            }
            for _ in 0..<max(1, limit) { next() }
            var ends: [(ID, Swift.Result<Result, any Error>)] = []
            while let end = await group.next() {
                ends.append(end)
                next()
            }
            return ends.sorted { $0.0 < $1.0 }
        }
        try Task.checkCancellation()
        let failed = ends.compactMap { id, end in if case .failure(let error) = end { (id, error) } else { nil } }
        for (id, error) in failed.dropFirst() {
            parts.progress(.note("\(id): \(KilnError.wrapping(error).message)"))
        }
        if let first = failed.first { throw first.1 }
        return try ends.map { try $0.1.get() }
    }
}

extension MemberID {
    // That of the first is written with its ordinal, too: without it all are meant.
    fileprivate func isMeant(by text: String) -> Bool {
        text == "\(whole).\(ordinal)" || text == "\(server).\(ordinal)"
    }
}

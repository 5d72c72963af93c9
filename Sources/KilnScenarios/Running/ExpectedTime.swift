import KilnDocuments
import KilnModel

/// When all that is expected of a server has to hold.
enum ExpectedTime: Sendable, Hashable {
    /// At one look.
    case once
    /// At one of several looks.
    case eventually(Check.Eventually)
    /// At every look for a while.
    case always(Check.Always)
    /// At no look for a while.
    case never(Check.Always)

    /// Looks as often as it takes.
    ///
    /// - Parameter look: looks once; throws `Unmet` where it does not hold.
    /// - Returns: what was found where it held; nothing where it must not.
    /// - Throws: `Unmet`, and what keeps it from being told: neither way holds then.
    func judge<Found>(_ subject: String, _ look: () async throws -> Found) async throws -> Found? {
        switch self {
        case .once: return try await look()
        case .eventually(let time): return try await wait(time, look)
        case .always(let time):
            return try await watch(time) { try await look() }
        case .never(let time):
            _ = try await watch(time) { try await refuse(subject, look) }
            return nil
        }
    }

    // A guest that can't be asked yet may answer in time, so the last reason counts, whatever it is.
    private func wait<Found>(_ time: Check.Eventually, _ look: () async throws -> Found) async throws -> Found {
        let begin = ContinuousClock.now
        while true {
            do { return try await look() } catch {
                try Task.checkCancellation()
                if ContinuousClock.now - begin >= time.within { throw error }
            }
            // No event tells that an expectation has come to hold.
            try await Task.sleep(for: time.every)
        }
    }

    private func watch<Found>(_ time: Check.Always, _ look: () async throws -> Found) async throws -> Found {
        let begin = ContinuousClock.now
        while true {
            let found = try await look()
            let spent = ContinuousClock.now - begin
            guard spent < time.through else { return found }
            // Nor that it has come to hold no more.
            try await Task.sleep(for: min(time.every, time.through - spent))
        }
    }

    private func refuse<Found>(_ subject: String, _ look: () async throws -> Found) async throws {
        do { _ = try await look() } catch is Unmet { return }
        throw Unmet("\(subject): what this step says is expected never to hold, and holds")
    }
}

extension ExpectedTime {
    /// Reads the one that is written; at one look where none is.
    init(_ fields: Fields<ExpectFields>) {
        let written = [fields[.eventually], fields[.always], fields[.never]].compactMap(\.self)
        for other in written.dropFirst() { other.problem("one of 'eventually', 'always' and 'never' at most") }
        if let time = fields[.eventually]?.eventually() {
            self = .eventually(time)
        } else if let time = fields[.always]?.always() {
            self = .always(time)
        } else if let time = fields[.never]?.always() {
            self = .never(time)
        } else {
            self = .once
        }
    }
}

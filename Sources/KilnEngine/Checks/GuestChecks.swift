import KilnModel

/// Looks at one machine: asks probes of it, and tells what was expected and what was found.
///
/// It is the one evaluator of checks: readiness, `verify` and the tests of images use it.
public struct GuestChecks: Sendable {
    let guests: any GuestAccess
    let network: any NetworkProbe
    let machine: MachineID
    /// The published ports on 127.0.0.1 by name.
    let forwards: [Name: UInt16]

    /// What looks at a machine whose ports are published as they are given.
    public init(guests: any GuestAccess, network: any NetworkProbe, machine: MachineID, forwards: [Name: UInt16]) {
        self.guests = guests
        self.network = network
        self.machine = machine
        self.forwards = forwards
    }

    /// Asks a check once; an assertion for each attribute that was looked at, never none.
    public func assertions(_ check: Check) async -> [Assertion] {
        let begin = ContinuousClock.now
        let seen = await observations(check.probe, within: check.timeout)
        return seen.assertions(.booted, after: ContinuousClock.now - begin, hint: check.hint)
    }

    /// Asks a check once, for who waits until it holds.
    func finding(_ check: Check) async -> ProbeFinding {
        await observations(check.probe, within: check.timeout).finding
    }

    private func observations(_ probe: Probe, within limit: Duration) async -> [Observation] {
        await [Observation].of(probe, within: limit) { await observations(of: probe, limit) }
    }

    private func observations(of probe: Probe, _ limit: Duration) async -> [Observation] {
        do {
            switch probe {
            case .agent: return [await agent(limit)]
            case .cloudInit(let allowDegraded): return [try await cloudInit(allowDegraded)]
            case .http(let http):
                return [seen(probe, await network.http(http, on: forwards[http.port] ?? 0, within: limit))]
            case .tcp(let port, let send, let expect):
                let port = forwards[port] ?? 0
                return [seen(probe, await network.tcp(port: port, send: send, expect: expect, within: limit))]
            case .exec(let command): return [try await exec(command, limit)]
            case .resource(let resource): return try await observations(of: resource, limit)
            case .not(let inner): return [await observations(of: inner, limit).negated(inner)]
            case .any(let probes): return [await .any(probes) { await observations(of: $0, limit) }]
            case .all(let probes): return await .all(probes) { await observations(of: $0, limit) }
            }
        } catch let error as KilnError where error.code == .guestForbidden {
            // What the guest does not allow now it never will.
            let why = [error.message, error.hint].compactMap(\.self).joined(separator: "; ")
            return [Observation(probe, nil, expected: "it holds", found: why, verdict: .never)]
        } catch {
            return [.open(probe, String(describing: error))]
        }
    }

    private func observations(of resource: GuestResource, _ limit: Duration) async throws -> [Observation] {
        let files = RootChecks(GuestRoot(guests: guests, machine: machine, limit: limit))
        return switch resource {
        case .file, .package, .user, .group: try await files.observations(of: resource)
        case .service(let service): try await observations(of: service, limit)
        case .port(let port): try await observations(of: port, limit)
        case .process(let process): try await observations(of: process, limit)
        case .command(let command): try await observations(of: command, limit)
        case .mount(let mount): try await observations(of: mount, limit)
        }
    }
}

// MARK: - What is asked from outside

extension GuestChecks {
    private func seen(_ probe: Probe, _ finding: ProbeFinding) -> Observation {
        let (found, verdict): (String, Observation.Verdict) =
            switch finding {
            case .holds: ("as expected", .holds)
            case .notYet(let found): (found, .fails)
            case .failed(let found): (found, .never)
            case .dataDamaged(let found): (found, .damaged)
            }
        return Observation(probe, nil, expected: probe.expected, found: found, verdict: verdict)
    }

    private func agent(_ limit: Duration) async -> Observation {
        do {
            try await guests.awaitAgent(machine, within: limit)
            return seen(.agent, .holds)
        } catch {
            return seen(.agent, .notYet(KilnError.wrapping(error).message))
        }
    }

    private func cloudInit(_ allowDegraded: Bool) async throws -> Observation {
        let probe = Probe.cloudInit(allowDegraded: allowDegraded)
        // One question while it runs: every answer takes from the guest's own time to boot.
        guard let result = try await guests.read(CloudInitStatus.resultPath, in: machine, limit: 65536) else {
            return seen(probe, .notYet("has not ended"))
        }
        let status = try await guests.read(CloudInitStatus.statusPath, in: machine, limit: 65536)
        return seen(probe, CloudInitStatus.finding(result: result, status: status, allowDegraded: allowDegraded))
    }

    private func exec(_ command: [String], _ limit: Duration) async throws -> Observation {
        let result = try await guests.run(GuestCommand(command, deadline: limit), in: machine)
        if result.status == 0 { return seen(.exec(command), .holds) }
        let said = Name.quoted(String(decoding: result.errors.prefix(200), as: UTF8.self))
        let found = "exit status \(result.status) \(said)"
        return seen(.exec(command), result.status == Self.dataDamaged ? .dataDamaged(found) : .notYet(found))
    }

    // https://man.openbsd.org/sysexits: 65, EX_DATAERR, is the one status by which a program blames its data.
    static let dataDamaged: Int32 = 65
}

extension Probe {
    /// What has to be found, in words.
    fileprivate var expected: String {
        switch self {
        case .agent: "it answers"
        case .cloudInit(let allowDegraded):
            allowDegraded ? "it has ended, maybe degraded" : "it has ended without errors"
        case .http(let http): "status \(http.status)" + (http.contains.map { ", \(Name.quoted($0)) in the body" } ?? "")
        case .tcp(_, _, let expect): "\(Name.quoted(expect)) in the answer"
        case .exec: "exit status 0"
        case .resource, .not, .any, .all: "it holds"
        }
    }
}

import KilnEngine
import KilnModel
import KilnStore
import KilnSystem

/// The machines of one test, and what is looked at in them.
///
/// To boot takes most of the time. So the first machine, which gets an empty volume, is asked while the second boots, and it
/// is the one that is booted again.
struct TestMachines: Sendable {
    let test: ImageTest
    let lab: Name
    let record: TestRecord

    static let mountPath = "/mnt/kiln-test"

    var manifest: ImageManifest { test.image.manifest }
    private var isFull: Bool { test.suite.depth == .full }
    /// Whether anything in the guest mounts volumes.
    private var takesMetadata: Bool { manifest.cloudInit != .none }

    func run() async throws {
        let (first, second) = (try id("one"), try id("two"))
        await record.begin("the boot of the first machine")
        test.tell("\(test.title): booting a machine\(takesMetadata ? " with an empty volume" : "")")
        guard try await boots(first) else { return await skipTests() }
        if isFull { test.tell("\(test.title): booting a second machine, and asking the first") }
        async let isSecondUp = isFull ? boots(second) : false
        try await ask(first)
        if try await isSecondUp {
            await record.begin("the comparison of two machines")
            try await compare(first, second)
            try await lookAtConsole(second)
        }
        guard isFull else { return }
        await record.begin("the second boot")
        test.tell("\(test.title): booting the first machine again")
        try await bootsAgain(first)
        if takesMetadata, let predecessor = test.predecessor {
            // At most two at a time; that they end as they should was seen.
            for id in [first, second] { _ = try await problem { try await test.engine.stop(id) } }
            try await PredecessorVolume(machines: self, predecessor: predecessor).check(try id("three"))
        }
    }

    private func id(_ name: String) throws -> MemberID { MemberID(lab: lab, server: try Name(name)) }

    // MARK: - Boots

    private func boots(_ id: MemberID) async throws -> Bool {
        let begin = ContinuousClock.now
        let isFirst = id.server.text == "one"
        let expected = isFirst && takesMetadata ? "it becomes ready, with an empty volume" : "it becomes ready"
        let lab = try declared()
        let problem = try await problem { _ = try await test.engine.up(lab, only: [id.server]) }
        let found = problem ?? "ready after \(seconds(since: begin))"
        await record.add(
            .booted("machine \(id.server): boots", expected: expected, found: found, problem == nil, since: begin)
        )
        return problem == nil
    }

    private func bootsAgain(_ id: MemberID) async throws {
        let begin = ContinuousClock.now
        let problem = try await problem {
            try await test.engine.stop(id)
            try await test.engine.start(id)
        }
        await record.add(
            .booted(
                "machine \(id.server): boots again",
                expected: "it shuts down, and becomes ready again",
                found: problem ?? "ready after \(seconds(since: begin))",
                problem == nil,
                since: begin
            )
        )
        if problem == nil { try await lookAtConsole(id) }
    }

    /// Without what cloud-init remarks, which is told apart from whether a machine boots, and an agent, which not every image has.
    var ready: [Check] { takesMetadata ? [Check(.cloudInit(allowDegraded: true))] : [Check(.agent)] }

    /// All machines of the test; each is brought up by itself.
    func declared() throws -> LabSpec {
        let image = manifest.exactly
        let (empty, used) = (try Name("empty"), try Name("used"))
        var first = ServerSpec(image: image, ports: test.suite.ports, ready: ready)
        if takesMetadata { first.volumes = [empty: Self.mountPath] }
        var servers = [try Name("one"): first]
        if isFull { servers[try Name("two")] = ServerSpec(image: image, ready: ready) }
        if let predecessor = test.predecessor {
            let before = predecessor.manifest.exactly
            servers[try Name("three")] = ServerSpec(image: before, volumes: [used: Self.mountPath], ready: ready)
        }
        let volume = VolumeSpec(size: .mebibytes(64))
        return LabSpec(name: lab, volumes: takesMetadata ? [empty: volume, used: volume] : [:], servers: servers)
    }

    // What is wrong with the machine; what is wrong with the host is thrown, for it tells nothing of the image.
    func problem(_ body: () async throws -> Void) async throws -> String? {
        do {
            try await body()
            return nil
        } catch let error as KilnError where error.isFaultOfImage {
            return [error.message, error.cause].compactMap { $0 }.map(Printable.line).joined(separator: "; ")
        }
    }

    func seconds(since begin: ContinuousClock.Instant) -> String {
        let tenths = Int((ContinuousClock.now - begin) / .milliseconds(100))
        return "\(tenths / 10).\(tenths % 10) s"
    }

    // MARK: - What is asked of the first machine

    private func ask(_ id: MemberID) async throws {
        let checks = try test.engine.checks(on: id)
        var own = takesMetadata ? [Check(.cloudInit())] : []
        if takesMetadata, let path = RootPath(Self.mountPath) {
            var mount = MountResource(path: path)
            mount.filesystem = try? TextPattern(VolumeSpec.FileSystem.ext4.rawValue)
            own.append(Check(.resource(.mount(mount))))
        }
        try await lookForFailedUnits(checks)
        for check in own + test.askedTests {
            await record.begin(check.description)
            await record.add(try await RepeatedCheck(check: check, ask: checks.assertions).assertions())
        }
        try await lookAtConsole(id)
    }

    private func lookForFailedUnits(_ checks: GuestChecks) async throws {
        await record.begin("the units of systemd")
        let begin = ContinuousClock.now
        let expected = "none, where there is systemd"
        do {
            let failed = try await checks.failedUnits()
            let found = failed.map { $0.isEmpty ? "none" : $0.joined(separator: ", ") } ?? "no systemd"
            await record.add(
                .booted("failed units", expected: expected, found: found, failed?.isEmpty ?? true, since: begin)
            )
        } catch let error as KilnError {
            await record.add(.booted("failed units", expected: expected, found: error.message, false, since: begin))
        }
    }

    private func lookAtConsole(_ id: MemberID) async throws {
        let begin = ContinuousClock.now
        let line = try test.engine.fatalLine(on: id)
        await record.add(
            .booted(
                "machine \(id.server): console",
                expected: "nothing fatal",
                found: line.map(Printable.line) ?? "nothing",
                line == nil,
                since: begin
            )
        )
    }

    private func compare(_ first: MemberID, _ second: MemberID) async throws {
        let begin = ContinuousClock.now
        do {
            let one = try await test.engine.checks(on: first).identity()
            let two = try await test.engine.checks(on: second).identity()
            let parts = GuestIdentity.Part.allCases
            let each = (ContinuousClock.now - begin) / .seconds(1) / Double(parts.count)
            await record.add(parts.map { one.assertion($0, against: two, seconds: each) })
        } catch let error as KilnError {
            await record.add(
                .booted("two machines", expected: "they differ", found: error.message, false, since: begin)
            )
        }
    }

    // Named one by one, so that nobody takes them for passed.
    private func skipTests() async {
        for check in test.askedTests {
            await record.add(
                .booted(check.description, expected: "it holds", found: "not asked: no machine", false, since: .now)
            )
        }
    }
}

extension KilnError {
    /// Whether it tells something of a machine's image, and not of the host.
    var isFaultOfImage: Bool { exit != .unreachable && Self.faultsOfImages.contains(code) }

    private static let faultsOfImages = Set(
        ErrorCode.readiness + [
            .launchFailed, .stopTimeout, .machineLostPower, .machineSeedKept, .volumeNotMounted, .volumeReformatted,
            .guestAgentSilent, .guestNoAgent, .guestHostKeyDiffers, .guestSSHRefused, .guestSSHSilent, .imageNoWayIn,
            .guestForbidden, .guestCommandDeadline, .guestNonsense, .imageBootsByLabel,
        ]
    )
}

extension ImageManifest {
    /// A reference to just this content.
    var exactly: ImageReference { ImageReference(name: name, selector: .digest(digest)) }
}

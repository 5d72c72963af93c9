import KilnEngine
import KilnModel
import KilnStore
import KilnSystem

/// Tests an image: first what its files tell, then what throw-away machines of it do.
///
/// The machines are in a lab of their own, which is removed however the test ends, with all that they wrote. At most two run
/// at a time. What comes of it belongs to this digest of the image and of the suite.
public struct ImageTest: Sendable {
    let image: StoredImage
    let suite: ImageSuite
    let engine: LabEngine
    let parts: EngineParts
    let root: (any SealedRoot)?
    let predecessor: StoredImage?
    let tell: @Sendable (String) -> Void
    let limit: Duration?

    /// A test of a sealed image.
    ///
    /// - Parameters:
    ///   - root: its files; without them, a machine is asked for what they tell.
    ///   - predecessor: the image of which a machine writes a volume that one of this has to serve on, where all is asked.
    ///   - limit: how long the machines may take together; without it, as long as each of them and each test may.
    ///   - tell: takes a line whenever there is something to tell, from any task.
    public init(
        of image: StoredImage,
        suite: ImageSuite,
        engine: LabEngine,
        parts: EngineParts,
        root: (any SealedRoot)?,
        predecessor: StoredImage? = nil,
        limit: Duration? = nil,
        tell: @escaping @Sendable (String) -> Void
    ) {
        self.image = image
        self.suite = suite
        self.engine = engine
        self.parts = parts
        self.root = root
        self.predecessor = predecessor
        self.limit = limit
        self.tell = tell
    }

    /// Tests it.
    ///
    /// What does not hold is in the result; thrown is only what kept the test from being made: then nothing is known of the
    /// image.
    ///
    /// - Throws: `KilnError`, `CancellationError`.
    public func run() async throws -> Attestation {
        let begin = ContinuousClock.now
        let record = TestRecord()
        try await lookAtFiles(record)
        try await runMachines(record)
        return Attestation(
            image: image.manifest.digest,
            suite: try suite.digest,
            assertions: await record.assertions,
            acceleration: parts.machines.platform.acceleration.rawValue,
            seconds: (ContinuousClock.now - begin) / .seconds(1)
        )
    }

    var title: String { "\(image.manifest.name):\(image.manifest.version)" }

    private func lookAtFiles(_ record: TestRecord) async throws {
        let offline = suite.tests.filter(isTold)
        guard let root, !offline.isEmpty else { return }
        let checks = RootChecks(root)
        let begin = ContinuousClock.now
        for check in offline {
            try Task.checkCancellation()
            // Sealed files don't change: what they tell once they tell for ever.
            await record.add(await checks.assertions(check))
        }
        let each = (ContinuousClock.now - begin) / .milliseconds(1) / Double(offline.count)
        tell(
            "\(title): \(offline.count) of \(suite.tests.count) tests were asked of its files, "
                + "in \(Int((each * 10).rounded()) / 10).\(Int((each * 10).rounded()) % 10) ms each"
        )
    }

    /// Whether its files tell what a test asks.
    private func isTold(_ check: Check) -> Bool { check.probe.isOffline && root?.tells(check.probe) == true }

    /// The tests of the recipe that a machine is asked.
    var askedTests: [Check] { suite.tests.filter { !isTold($0) } }

    private func runMachines(_ record: TestRecord) async throws {
        let lab = try await ThrowawayLab.make("kiln-test", engine: engine)
        let limit = limit ?? usualLimit
        do {
            let machines = TestMachines(test: self, lab: lab.name, record: record)
            try await withDeadline(limit, operation: "test \(title)") { try await machines.run() }
        } catch let error as DeadlineExceeded {
            await record.add(cutOff(at: await record.current, error.limit))
        } catch {
            await remove(lab)
            throw error
        }
        await remove(lab)
    }

    // Three boots, a shutdown, and what is asked; two more with the volume of a predecessor.
    private var usualLimit: Duration {
        let boot: Duration = parts.machines.platform.isEmulated ? .seconds(330) : .seconds(150)
        return boot * (predecessor == nil ? 3 : 5) + .seconds(120) + suite.patience
    }

    private func cutOff(at current: String, _ limit: Duration) -> Assertion {
        Assertion(
            subject: "the suite",
            expected: "it ends within \(limit.components.seconds) s",
            found: "it was cut off at: \(current)",
            outcome: .failed,
            place: .booted,
            seconds: limit / .seconds(1)
        )
    }

    private func remove(_ lab: ThrowawayLab) async {
        do {
            try await lab.remove()
        } catch {
            tell("\(title): its test machines could not be removed: \(error); 'kiln down \(lab.name)' tries again")
        }
    }
}

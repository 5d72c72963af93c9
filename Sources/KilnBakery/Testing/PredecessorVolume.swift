import KilnEngine
import KilnModel
import KilnStore

/// A volume that a machine of the version before wrote, which a machine of the tested image has to serve on.
///
/// It is a replacement like any other: whoever upgrades a server does just this.
struct PredecessorVolume {
    let machines: TestMachines
    let predecessor: StoredImage

    private static let mark = TestMachines.mountPath + "/kiln-test-mark"

    private var test: ImageTest { machines.test }
    private var before: String { predecessor.manifest.title }

    /// Writes a volume with the one and reads it with the other.
    ///
    /// - Throws: `KilnError` where the host is at fault; `CancellationError`.
    func check(_ id: MemberID) async throws {
        await machines.record.begin("a volume that \(before) wrote")
        test.tell("\(test.title): booting \(before), which writes a volume")
        if let problem = try await written(by: id) {
            // That says nothing of the image that is tested.
            return test.tell("\(test.title): not tried with a volume that \(before) wrote: \(problem)")
        }
        test.tell("\(test.title): booting a machine with the volume that \(before) wrote")
        try await read(by: id)
    }

    private func written(by id: MemberID) async throws -> String? {
        let lab = try machines.declared()
        if let problem = try await machines.problem({ _ = try await test.engine.up(lab, only: [id.server]) }) {
            return problem
        }
        let script = "echo kiln >\"$1\" && sync"
        let write = Check(.exec(["/bin/sh", "-c", script, "kiln", Self.mark]), timeout: .seconds(30))
        let found = await (try test.engine.checks(on: id)).assertions(write)
        return found.first { $0.outcome != .passed }.map { "\($0.subject): \($0.found)" }
    }

    private func read(by id: MemberID) async throws {
        let begin = ContinuousClock.now
        var turned: String?
        let options = ReplaceOptions(image: machines.manifest.exactly)
        let problem = try await machines.problem {
            let report = try await test.engine.replace(id, options)
            if report.outcome != .committed { turned = report.turn?.reason ?? "it did not serve" }
        }
        let fault = problem ?? turned
        await machines.record.add(
            .booted(
                "machine \(id.server): boots",
                expected: "it becomes ready, with a volume that \(before) wrote",
                found: fault ?? "ready after \(machines.seconds(since: begin))",
                fault == nil,
                since: begin
            )
        )
        guard fault == nil, let path = RootPath(Self.mark) else { return }
        var mark = FileResource(path: path)
        mark.type = .file
        let checks = try test.engine.checks(on: id)
        await machines.record.add(await checks.assertions(Check(.resource(.file(mark)))))
    }
}

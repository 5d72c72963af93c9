import Foundation
import KilnModel
import Subprocess
import SystemPackage

/// The machine that kiln makes of an image, made by hand with qemu-img, xorriso and QEMU.
struct RawMachine: Sendable {
    /// The image and its files.
    let image: StoredImage
    /// The processor that kiln's own QEMU had.
    let processor: Processor
    /// A directory of its own, which does not exist yet.
    let directory: String
    let patience: Duration

    /// By what instructions are executed: the values of QEMU's `-accel` and `-cpu`.
    struct Processor: Sendable, Codable {
        let accelerator: String
        let model: String
        /// The words of the kernel's command line that are no assignments; kiln adds some to the image's own.
        let kernelFlags: [String]
    }

    /// Makes overlay and seed, starts QEMU, waits for the agent's first answer, ends QEMU.
    ///
    /// The texts of the seed are written before the time begins to run, as if somebody had them ready.
    func boot() async throws -> Sample {
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        let seed = RawSeed(image: image, instance: "raw-\(UUID().uuidString.prefix(8))", mac: RawMachine.mac)
        try await seed.write(to: directory + "/tree")
        let programs = try ["qemu-img", "xorriso", "qemu-system-x86_64"].map {
            Program(try Program.find($0), directory: directory)
        }
        let start = ContinuousClock.now
        let within = Duration.seconds(60)
        _ = try await programs[0].run(
            ["create", "-q", "-f", "qcow2", "-b", image.disk, "-F", "qcow2", path("root.qcow2")],
            within: within
        )
        _ = try await programs[1].run(
            ["-as", "mkisofs", "-quiet", "-V", "CIDATA", "-J", "-r", "-o", path("seed.iso"), path("tree")],
            within: within
        )
        return try await run(programs[2], try arguments(instance: seed.instance), since: start)
    }

    private func run(_ qemu: Program, _ arguments: [String], since start: ContinuousClock.Instant) async throws
        -> Sample
    {
        let errors = path("errors")
        do {
            let result = try await Subprocess.run(
                .path(FilePath(qemu.path)),
                arguments: Arguments(arguments),
                platformOptions: Program.ownGroup,
                input: .none,
                output: .fileDescriptor(try Program.file(path("output")), closeAfterSpawningProcess: true),
                error: .fileDescriptor(try Program.file(errors), closeAfterSpawningProcess: true)
            ) { execution in
                let outcome: Result<Sample, any Error>
                do {
                    outcome = .success(try await sample(since: start))
                } catch {
                    outcome = .failure(error)
                }
                try? execution.send(signal: .kill)
                return outcome
            }
            return try result.closureResult.get()
        } catch let failure as Failure {
            let said = (try? String(contentsOfFile: errors, encoding: .utf8)) ?? ""
            throw Failure("\(failure)\n\(said.suffix(2_000))")
        }
    }

    private func sample(since start: ContinuousClock.Instant) async throws -> Sample {
        let monitor = try await SocketConnection(to: path("monitor"), until: start + patience)
        let host = try await monitor.run { monitor in
            try monitor.awaitMonitor()
            return ContinuousClock.now - start
        }
        let agent = try await SocketConnection(to: path("agent"), until: start + patience)
        let ready = try await agent.run { agent in
            try agent.awaitPing()
            return ContinuousClock.now
        }
        let stat = try await agent.run { agent in
            try agent.output(of: Sample.agentStat[0], Array(Sample.agentStat.dropFirst()))
        }
        return try Sample(wall: ready - start, host: host, agentStat: stat)
    }

    func path(_ name: String) -> String { directory + "/" + name }
}

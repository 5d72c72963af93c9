import Foundation
import KilnModel

extension Benchmark {
    private static let size = ByteCount(bytes: 1 << 30)
    private static let filled = 500

    /// Snapshots and clones a volume of 1 GiB that holds 500 MiB, with its machine on and off.
    func measureVolumes() async throws -> [VolumeCopying] {
        let lab = try kiln.lab("bench-volume", image: try image(.volumes), port: try freePort(), volume: Benchmark.size)
        say("a volume of 1 GiB with \(Benchmark.filled) MiB in it")
        _ = try await kiln.up(lab, within: Benchmark.patience)
        let script = "dd if=/dev/urandom of=/data/content bs=1M count=\(Benchmark.filled) && sync"
        try await kiln.execute(["/bin/sh", "-c", script], in: lab)
        let attached = try await measureCopies(of: lab, isAttached: true)
        try await kiln.stop(lab)
        let detached = try await measureCopies(of: lab, isAttached: false)
        try await kiln.down(lab)
        return [attached, detached]
    }

    private func measureCopies(of lab: Kiln.Lab, isAttached: Bool) async throws -> VolumeCopying {
        let volume = lab.name + "/data"
        let directory = "\(kiln.home.path)/volumes/\(volume)"
        let programs = try ["qemu-img", "cp"].map { Program(try Program.find($0), directory: kiln.home.path) }
        let scratch = kiln.home.path + "/copy.qcow2"
        var times: [[Double]] = [[], [], [], []]
        for number in 0..<(runs ?? Part.volumes.runs) {
            let name = "\(isAttached ? "on" : "off")-\(number + 1)"
            say("copying it, machine \(name)")
            // Something to keep, as there would be.
            if isAttached { try await kiln.execute(["/bin/sh", "-c", "date > /data/\(name) && sync"], in: lab) }
            times[0].append(try await kiln.volume("snapshot", volume, name) / .milliseconds(1))
            times[1].append(try await kiln.volume("clone", volume, "clone-\(name)") / .milliseconds(1))
            let content = try largest(in: directory)
            let create = ["create", "-q", "-f", "qcow2", "-b", content, "-F", "qcow2", scratch]
            for (index, arguments) in [create, [content, scratch]].enumerated() {
                let took = try await programs[index].run(arguments, within: .seconds(120)).took
                times[2 + index].append(took / .milliseconds(1))
                try FileManager.default.removeItem(atPath: scratch)
            }
        }
        let summaries = times.compactMap { Summary($0) }
        guard summaries.count == 4 else { throw Failure("nothing was copied") }
        return VolumeCopying(
            isAttached: isAttached,
            snapshot: summaries[0],
            clone: summaries[1],
            layer: summaries[2],
            copy: summaries[3]
        )
    }

    // The layer that the content was written to, sealed by then.
    private func largest(in directory: String) throws -> String {
        let files = try FileManager.default.contentsOfDirectory(atPath: directory).map { "\(directory)/\($0)" }
        func size(_ file: String) -> Int {
            ((try? FileManager.default.attributesOfItem(atPath: file))?[.size] as? NSNumber)?.intValue ?? 0
        }
        guard let found = files.max(by: { size($0) < size($1) }), size(found) >= Benchmark.filled << 20 else {
            throw Failure("no layer in \(directory) holds \(Benchmark.filled) MiB")
        }
        return found
    }
}

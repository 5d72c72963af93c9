import Foundation
import KilnModel

extension Benchmark {
    private static let newMembers = 3
    private static let content = 500
    private static let manyMembers = 8
    private static let window = Duration.seconds(10)

    /// Lets a server have three more members with clones of its volume, and another one three with empty ones.
    func measureScaling() async throws -> Scaling {
        let (image, size) = (try image(.scale), ByteCount(bytes: 1 << 30))
        let labs = try ["clone", "empty"].map {
            try kiln.scaleLab("bench-scale-\($0)", image: image, volume: size, from: $0)
        }
        say("a member with a volume of 1 GiB with \(Benchmark.content) MiB in it, and one with an empty one")
        for lab in labs { _ = try await kiln.up(lab, within: Benchmark.patience) }
        let fill = "dd if=/dev/urandom of=/data/content bs=1M count=\(Benchmark.content) && sync"
        try await kiln.execute(["/bin/sh", "-c", fill], in: labs[0])
        var (times, grown): ([[Double]], [Double]) = ([[], []], [])
        let runs = runs ?? Part.scale.runs
        for number in 0..<runs {
            for index in number.isMultiple(of: 2) ? [0, 1] : [1, 0] {
                say("\(Benchmark.newMembers) more members \(number + 1)/\(runs): \(index == 0 ? "clones" : "empty")")
                times[index].append(try await scale(labs[index]) / .seconds(1))
                if index == 0 { grown.append(try blocksOfNewMembers(of: labs[0]) / Double(1 << 20)) }
                _ = try await kiln.scale(labs[index], to: 1, atOnce: 1, within: Benchmark.patience)
                // Members that come again would take these up.
                try await kiln.purgeRetained()
            }
        }
        for lab in labs {
            try await kiln.stop(lab)
            try await kiln.down(lab)
        }
        guard let clones = Summary(times[0]), let empty = Summary(times[1]), let grown = Summary(grown) else {
            throw Failure("no member came")
        }
        return Scaling(members: Benchmark.newMembers, clones: clones, empty: empty, grown: grown)
    }

    private func scale(_ lab: Kiln.Lab) async throws -> Duration {
        let new = Benchmark.newMembers
        return try await kiln.scale(lab, to: 1 + new, atOnce: new, within: Benchmark.patience)
    }

    // In bytes. A sealed layer is one file with a name in each volume that has it, so the first member's is no growth.
    private func blocksOfNewMembers(of lab: Kiln.Lab) throws -> Double {
        let volumes = "\(kiln.home.path)/volumes/\(lab.name)"
        var files: [UInt64: Double] = [:]
        for member in 1...Benchmark.newMembers {
            files.merge(try Benchmark.files(in: "\(volumes)/data-\(member)")) { first, _ in first }
        }
        for shared in try Benchmark.files(in: "\(volumes)/data").keys { files[shared] = nil }
        return files.values.reduce(0, +)
    }

    // The bytes in blocks of each file, by its inode.
    private static func files(in directory: String) throws -> [UInt64: Double] {
        try FileManager.default.contentsOfDirectory(atPath: directory).reduce(into: [:]) { files, name in
            var found = stat()
            // Kiln may just remove one that it was making.
            guard lstat("\(directory)/\(name)", &found) == 0 else { return }
            files[UInt64(found.st_ino)] = Double(found.st_blocks) * 512
        }
    }

    /// Brings eight members up one after the other, and all at once.
    func measureLaunches() async throws -> Launching {
        let members = Benchmark.manyMembers
        let lab = try kiln.bareLab("bench-many", image: try image(.upMany), members: members)
        var times: [[Double]] = [[], []]
        let runs = runs ?? Part.upMany.runs
        for number in 0..<runs {
            for isAtOnce in number.isMultiple(of: 2) ? [true, false] : [false, true] {
                say("\(members) members \(number + 1)/\(runs): \(isAtOnce ? "at once" : "in turn")")
                // The daemon ends by itself when it was idle for a while; this makes sure that one runs.
                _ = try await kiln.ps()
                let took = try await kiln.up(lab, atOnce: isAtOnce ? members : 1, within: Benchmark.patience)
                times[isAtOnce ? 1 : 0].append(took / .seconds(1))
                try await kiln.stop(lab)
                try await kiln.down(lab)
            }
        }
        guard let inTurn = Summary(times[0]), let atOnce = Summary(times[1]) else { throw Failure("nothing came up") }
        return Launching(members: members, inTurn: inTurn, atOnce: atOnce)
    }

    /// Asks a server behind a front and one that has its port itself, in turn, both on.
    func measureFront() async throws -> FrontCost {
        let ports = try freePorts(2)
        let lab = try kiln.frontLab("bench-front", image: try image(.front), front: ports[0], plain: ports[1])
        say("'kiln up' of a server behind a front and of one without")
        _ = try await kiln.up(lab, within: Benchmark.patience)
        var (times, leftOut): ([[Double]], Int) = ([[], []], 0)
        let runs = runs ?? Part.front.runs
        for number in 0..<runs {
            for index in number.isMultiple(of: 2) ? [0, 1] : [1, 0] {
                say("answers \(number + 1)/\(runs): \(index == 0 ? "front" : "plain")")
                let seen = try await OpenLoopClient.watching(port: ports[index]) {
                    // The window: nothing is done in it.
                    try await Task.sleep(for: Benchmark.window)
                }.seen
                if seen.isValid, seen.during.failed == 0, let answers = seen.during.answers {
                    times[index].append(answers.median * 1_000)
                } else {
                    leftOut += 1
                }
            }
        }
        try await kiln.stopAll(lab, servers: 2)
        try await kiln.down(lab)
        guard let front = Summary(times[0]), let plain = Summary(times[1]) else {
            throw Failure("no window of \(leftOut) was valid")
        }
        return FrontCost(front: front, plain: plain, leftOut: leftOut)
    }
}

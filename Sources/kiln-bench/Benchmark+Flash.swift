import Foundation
import KilnModel
import KilnStore

/// Machines that are cloned from a template, beside those that boot.
struct Flashing: Sendable, Codable {
    /// One way to come to run.
    struct Way: Sendable, Codable {
        /// Until the guest's processors run, in seconds: the step START.
        let running: Summary
        /// Until the server is ready, from then on counted in, in seconds: the steps START and HEALTHY.
        let ready: Summary
        /// All of `kiln up`, in seconds.
        let wall: Summary
        /// What the machine takes of the host's memory for itself once it is ready, in MiB.
        let memory: Summary
        /// What it reads of its template's memory besides, in MiB.
        let shared: Summary
    }

    /// Several that are brought up by one command.
    struct Herd: Sendable, Codable {
        let members: Int
        /// All of `kiln up`, in seconds.
        let wall: Summary
        /// What each takes of the host's memory for itself, in MiB.
        let memory: Summary
        /// What all of them together read of their template's memory, in MiB.
        let shared: Summary
    }

    /// How many are brought up at once.
    ///
    /// Eight of Debian take 2.5 GiB of the host's memory, and are given 6.
    static let sizes = [1, 4, 8]
    static let longestRun = 0.5
    static let largestMemory = 0.5

    let image: String
    let booted: Way
    let cloned: Way
    /// Clones only.
    let herds: [Herd]
    /// How many times as long as a clone a boot may be ready for the aim to be met.
    let aim: Double

    var readyRatio: Double { cloned.ready.median / booted.ready.median }
    var memoryRatio: Double { cloned.memory.median / booted.memory.median }
}

extension Benchmark {
    /// Brings one server up by a boot and by a clone, in turn.
    func measureFlash() async throws -> [Flashing] {
        let all = [(Part.tiny, 0.2), (Part.debian, 0.4)]
        var measured: [Flashing] = []
        for (part, aim) in all {
            guard let image = try? image(part), image.manifest.flash == true else { continue }
            measured.append(try await measureFlash(part, image, runs ?? part.runs, aim))
        }
        if measured.isEmpty { say("no image of the store says 'flash: true'; bake tiny again") }
        return measured
    }

    private func measureFlash(
        _ part: Part,
        _ image: StoredImage,
        _ runs: Int,
        _ aim: Double
    ) async throws -> Flashing {
        let title = Benchmark.title(image)
        let labs = try ["boot", "flash"].map { try kiln.launchLab("bench-\($0)", image: image, launch: $0) }
        say("\(title): a template")
        try await bootOnce(labs[1])
        var samples: [[FlashSample]] = [[], []]
        for number in 0..<runs {
            for index in number.isMultiple(of: 2) ? [0, 1] : [1, 0] {
                say("\(title) \(number + 1)/\(runs): \(index == 0 ? "booted" : "cloned")")
                samples[index].append(try await sample(labs[index]))
            }
        }
        guard let booted = Flashing.Way(samples[0]), let cloned = Flashing.Way(samples[1]) else {
            throw Failure("nothing was launched")
        }
        let herds = try await measureHerds(image, runs)
        return Flashing(image: title, booted: booted, cloned: cloned, herds: herds, aim: aim)
    }

    private func measureHerds(_ image: StoredImage, _ runs: Int) async throws -> [Flashing.Herd] {
        var herds: [Flashing.Herd] = []
        for members in Flashing.sizes {
            let name = "bench-herd-\(image.manifest.name)-\(members)"
            let lab = try kiln.launchLab(name, image: image, launch: "flash", members: members)
            var (walls, memories, shared): ([Double], [Double], [Double]) = ([], [], [])
            for number in 0..<runs {
                say("\(members) clones at once \(number + 1)/\(runs)")
                _ = try await kiln.ps()
                walls.append(try await kiln.up(lab, atOnce: members, within: Benchmark.patience) / .seconds(1))
                let memory = try kiln.memoryOfMachines(of: lab)
                memories.append(memory.own / Double(members))
                shared.append(memory.ofTemplate)
                try await kiln.down(lab)
            }
            guard let wall = Summary(walls), let memory = Summary(memories), let shared = Summary(shared) else {
                throw Failure("nothing came up")
            }
            herds.append(Flashing.Herd(members: members, wall: wall, memory: memory, shared: shared))
        }
        return herds
    }

    private func bootOnce(_ lab: Kiln.Lab) async throws {
        _ = try await kiln.up(lab, within: Benchmark.patience)
        try await kiln.stop(lab)
        try await kiln.down(lab)
    }

    private func sample(_ lab: Kiln.Lab) async throws -> FlashSample {
        // The daemon ends by itself when it was idle for a while; this makes sure that one runs.
        _ = try await kiln.ps()
        let wall = try await kiln.up(lab, within: Benchmark.patience)
        let steps = try await kiln.steps(of: lab)
        guard let start = steps["start"], let healthy = steps["healthy"] else {
            throw Failure("the journal of \(lab.server) has no step start or healthy")
        }
        let sample = FlashSample(
            running: Double(start) / 1000,
            ready: Double(start + healthy) / 1000,
            wall: wall / .seconds(1),
            memory: try kiln.memoryOfMachines(of: lab)
        )
        try await kiln.stop(lab)
        try await kiln.down(lab)
        return sample
    }
}

/// What one launch took.
struct FlashSample: Sendable {
    let running: Double
    let ready: Double
    let wall: Double
    let memory: MachineMemory
}

extension Flashing.Way {
    init?(_ samples: [FlashSample]) {
        guard let running = Summary(samples.map(\.running)), let ready = Summary(samples.map(\.ready)),
            let wall = Summary(samples.map(\.wall)), let memory = Summary(samples.map(\.memory.own)),
            let shared = Summary(samples.map(\.memory.ofTemplate))
        else { return nil }
        self.init(running: running, ready: ready, wall: wall, memory: memory, shared: shared)
    }
}

extension Kiln {
    /// Writes the file of a lab of one server that comes to run in this way.
    func launchLab(_ name: String, image: StoredImage, launch: String, members: Int? = nil) throws -> Lab {
        let replicas = members.map { "replicas: \($0), " } ?? ""
        return try write(
            name,
            """
              servers:
                web: { image: "\(Benchmark.title(image))", \(replicas)launch: \(launch), ready: [agent, cloud-init] }
            """
        )
    }

    /// What the processes of a lab's machines take of the host's memory.
    func memoryOfMachines(of lab: Lab) throws -> MachineMemory {
        let own = home.processes().filter { process in
            process.name.hasPrefix("qemu-system")
                && process.arguments.contains { $0.contains("guest=kiln.\(lab.name).") }
        }
        guard !own.isEmpty else { throw Failure("no QEMU of \(lab.name) was found") }
        return try own.reduce(into: MachineMemory()) { sum, process in
            try sum.add(process.pid, templates: home.path + "/templates")
        }
    }
}

extension Report {
    /// What machines that are cloned take, and those that boot.
    var flashLines: [String] { (flashing ?? []).flatMap(lines) }

    private func lines(_ flashing: Flashing) -> [String] {
        let (cloned, booted) = (flashing.cloned, flashing.booted)
        let count = "N = \(cloned.ready.count) + \(booted.ready.count)"
        return [
            "launch: flash, \(flashing.image), \(count), in turn",
            "  running   cloned \(seconds(cloned.running))   booted \(seconds(booted.running))",
            "  ready     cloned \(seconds(cloned.ready))   booted \(seconds(booted.ready))",
            "  kiln up   cloned \(seconds(cloned.wall))   booted \(seconds(booted.wall))",
            "  memory    cloned \(number(cloned.memory.median, 0)) MiB   booted \(number(booted.memory.median, 0)) MiB",
            "  template  \(number(cloned.shared.median, 0)) MiB of its memory are read, once for all its clones",
            "  aim       running <= \(number(Flashing.longestRun, 1)) s: \(met(cloned.running.median <= Flashing.longestRun))",
            aim("ready", flashing.readyRatio, flashing.aim),
            aim("memory", flashing.memoryRatio, Flashing.largestMemory),
        ] + flashing.herds.flatMap { lines($0, beside: booted) } + [""]
    }

    private func lines(_ herd: Flashing.Herd, beside booted: Flashing.Way) -> [String] {
        [
            "  \(herd.members) at once  kiln up \(seconds(herd.wall))   memory of each \(number(herd.memory.median, 0)) MiB, "
                + "of the template \(number(herd.shared.median, 0)) MiB",
            aim("memory of each", herd.memory.median / booted.memory.median, Flashing.largestMemory),
        ]
    }

    private func aim(_ what: String, _ ratio: Double, _ most: Double) -> String {
        "  aim       \(what) / booted <= \(number(most, 1)): \(number(ratio, 2)), \(met(ratio <= most))"
    }
}

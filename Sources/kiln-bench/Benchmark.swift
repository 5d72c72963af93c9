import Foundation
import KilnModel
import KilnStore

/// One run of the benchmark.
struct Benchmark: Sendable {
    /// What is measured.
    enum Part: String, Sendable, CaseIterable {
        case tiny
        case debian = "debian-13"
        case ps
        case replaceTiny = "replace-tiny"
        case replaceDebian = "replace-debian-13"
        case volumes
        case bakes
        case imageTest = "image-test"
        case scenarios
        case crowd = "ps-many"
        case rollout
        case rolloutEtcd = "rollout-etcd"
        case scale
        case upMany = "up-many"
        case front
        case hold
        case autoscale
        case flash

        /// How often it is measured where the command does not say.
        var runs: Int { [.autoscale, .debian, .replaceDebian, .bakes, .rolloutEtcd, .hold].contains(self) ? 3 : 5 }

        /// The image that it measures with.
        var image: String {
            switch self {
            case .debian, .replaceDebian: Part.debian.rawValue
            case .rolloutEtcd: "etcd"
            case .hold: "notes"
            default: Part.tiny.rawValue
            }
        }

        var isReplacement: Bool { self == .replaceTiny || self == .replaceDebian }
        var isBoot: Bool { self == .tiny || self == .debian }
    }

    let kiln: Kiln
    let images: ImageStore
    let parts: [Part]
    /// How often each boot is measured; nothing means each part's own number.
    let runs: Int?
    /// Takes progress.
    let say: @Sendable (String) -> Void

    static let patience = Duration.seconds(420)
    static let listings = 20

    /// Measures everything, one machine at a time.
    func run() async throws -> Report {
        let load = Host.load
        let first = try image(parts.first ?? .tiny)
        // A server that stays for the whole run and is off most of the time: listing it makes a daemon start.
        let keeper = try kiln.lab("keeper", image: first)
        say("first 'kiln up' in a new home")
        let coldStart = try await kiln.up(keeper, within: Benchmark.patience) / .seconds(1)
        let processor = try kiln.processor()
        var listing: Listing?
        if parts.contains(.ps) {
            say("'kiln ps', \(Benchmark.listings) times")
            listing = try await measureListing(keeper)
        } else {
            try await kiln.stop(keeper)
        }
        var comparisons: [Comparison] = []
        for part in parts where part.isBoot { comparisons.append(try await compare(part, processor)) }
        var replacements: [ReplacementComparison] = []
        for part in parts where part.isReplacement {
            replacements.append(try await measureReplacements(part, processor))
        }
        let copies = parts.contains(.volumes) ? try await measureVolumes() : nil
        let baking = parts.contains(.bakes) ? try await measureBakes() : nil
        let testing = parts.contains(.imageTest) ? try await measureTests() : nil
        let running = parts.contains(.scenarios) ? try await measureScenarios() : nil
        let crowd = parts.contains(.crowd) ? try await measureCrowd() : nil
        let rollouts = parts.contains(.rollout) ? try await measureRollouts(processor) : nil
        let etcd = parts.contains(.rolloutEtcd) ? try await measureEtcd() : nil
        let scaling = parts.contains(.scale) ? try await measureScaling() : nil
        let launching = parts.contains(.upMany) ? try await measureLaunches() : nil
        let front = parts.contains(.front) ? try await measureFront() : nil
        let holding = parts.contains(.hold) ? try await measureHolding() : nil
        let autoscaling = parts.contains(.autoscale) ? try await measureAutoscaling() : nil
        let flashing = parts.contains(.flash) ? try await measureFlash() : nil
        return Report(
            host: try await Host(processor: processor, loadBefore: load),
            firstUp: coldStart,
            firstImage: Benchmark.title(first),
            comparisons: comparisons,
            listing: listing,
            replacements: replacements,
            copies: copies,
            baking: baking,
            testing: testing,
            running: running,
            crowd: crowd,
            rollouts: rollouts,
            etcd: etcd,
            scaling: scaling,
            launching: launching,
            front: front,
            holding: holding,
            autoscaling: autoscaling,
            flashing: flashing
        )
    }

    /// The newest of the images that are called like the part.
    func image(_ part: Part) throws -> StoredImage { try images.resolve(try ImageReference(part.image)) }

    static func title(_ image: StoredImage) -> String { "\(image.manifest.name):\(image.manifest.version)" }

    private func compare(_ part: Part, _ processor: RawMachine.Processor) async throws -> Comparison {
        let image = try image(part)
        let title = Benchmark.title(image)
        let lab = try kiln.lab("bench", image: image)
        var comparison = Comparison(image: title)
        let runs = runs ?? part.runs
        for number in 0..<runs {
            // Who goes first alternates: the second finds the image in the page cache, and a warmer processor.
            for isKiln in number.isMultiple(of: 2) ? [true, false] : [false, true] {
                say("\(title) \(number + 1)/\(runs): \(isKiln ? "kiln" : "raw QEMU")")
                if isKiln {
                    comparison.kiln.append(try await bootKiln(lab))
                } else {
                    let raw = RawMachine(
                        image: image,
                        processor: processor,
                        directory: kiln.home.path + "/raw",
                        patience: Benchmark.patience
                    )
                    comparison.raw.append(try await raw.boot())
                    try FileManager.default.removeItem(atPath: raw.directory)
                }
            }
        }
        return comparison
    }

    private func bootKiln(_ lab: Kiln.Lab) async throws -> Sample {
        // The daemon ends by itself when it was idle for a while; this makes sure that one runs.
        _ = try await kiln.ps()
        let wall = try await kiln.up(lab, within: Benchmark.patience)
        let sample = try await kiln.sample(lab, wall: wall)
        try await kiln.stop(lab)
        try await kiln.down(lab)
        return sample
    }

    /// Lists the keeper while it is on, then stops it and lists it where a daemon has to be started for that.
    private func measureListing(_ keeper: Kiln.Lab) async throws -> Listing {
        _ = try await kiln.ps()
        var warm: [Double] = []
        for _ in 0..<Benchmark.listings { warm.append(try await kiln.ps() / .milliseconds(1)) }
        try await kiln.stop(keeper)
        var cold: [Double] = []
        for _ in 0..<3 {
            try await kiln.home.endDaemon()
            cold.append(try await kiln.ps() / .milliseconds(1))
        }
        guard let warm = Summary(warm), let cold = Summary(cold) else { throw Failure("nothing was listed") }
        return Listing(warm: warm, cold: cold)
    }
}

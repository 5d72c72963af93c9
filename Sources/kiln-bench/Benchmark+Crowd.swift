import Foundation
import KilnModel

extension Benchmark {
    private static let labs = 10
    private static let serversPerLab = 10
    private static let volumesPerServer = 3

    /// Lists one server and a hundred, in turn; each of them was up once, and has its journal and volumes.
    func measureCrowd() async throws -> Crowd {
        let (alone, crowded) = (try kiln.linked("one"), try kiln.linked("many"))
        try await fill(alone, labs: 1, servers: 1)
        try await fill(crowded, labs: Benchmark.labs, servers: Benchmark.serversPerLab)
        var times: [[Double]] = [[], []]
        for number in 0..<Benchmark.listings {
            for isOne in number.isMultiple(of: 2) ? [true, false] : [false, true] {
                let place = isOne ? alone : crowded
                times[isOne ? 0 : 1].append(try await place.ps() / .milliseconds(1))
            }
        }
        guard let one = Summary(times[0]), let many = Summary(times[1]) else { throw Failure("nothing was listed") }
        let servers = Benchmark.labs * Benchmark.serversPerLab
        return Crowd(servers: servers, volumes: servers * Benchmark.volumesPerServer, one: one, many: many)
    }

    // One lab at a time, since the host has not the memory for all.
    private func fill(_ place: Kiln, labs: Int, servers: Int) async throws {
        for number in 1...labs {
            say("'kiln ps' of many: lab \(number)/\(labs)")
            let lab = try place.crowdLab(
                "crowd-\(number)",
                image: try image(.crowd),
                servers: servers,
                volumes: Benchmark.volumesPerServer
            )
            _ = try await place.up(lab, within: Benchmark.patience)
            try await place.stopAll(lab, servers: servers)
        }
    }
}

extension Kiln {
    /// The same program in a home below this one's, with the same images.
    fileprivate func linked(_ name: String) throws -> Kiln {
        let place = try apart(name)
        try FileManager.default.createSymbolicLink(
            atPath: place.home.path + "/images",
            withDestinationPath: home.path + "/images"
        )
        return place
    }
}

import Foundation
import KilnBakery
import KilnModel
import KilnStore

extension Benchmark {
    /// Bakes a version with nothing to reuse, with a changed step and with nothing to do, and lets mmdebstrap work alone.
    func measureBakes() async throws -> Baking {
        let recipes = try RecipeCopy(of: "debian-13", in: kiln.home.path)
        var times: [[Double]] = [[], [], [], []]
        let runs = runs ?? Part.bakes.runs
        for number in 0..<runs {
            let place = try kiln.apart("bake-\(number + 1)")
            // Who goes first alternates: the second finds what the mirror sent in somebody's cache, if anybody has one.
            for isKiln in number.isMultiple(of: 2) ? [true, false] : [false, true] {
                say("\(recipes.title) \(number + 1)/\(runs): \(isKiln ? "bakes" : "mmdebstrap alone")")
                if isKiln {
                    try recipes.change("cold \(number)")
                    times[0].append(try await place.bake(recipes) / .seconds(1))
                    try recipes.change("changed \(number)")
                    times[1].append(try await place.bake(recipes) / .seconds(1))
                    times[2].append(try await place.bake(recipes) / .seconds(1))
                } else {
                    times[3].append(try await MMDebstrap(recipes.debian, in: place.home.path).run() / .seconds(1))
                }
            }
            try FileManager.default.removeItem(atPath: place.home.path)
        }
        let summaries = times.compactMap { Summary($0) }
        guard summaries.count == 4 else { throw Failure("nothing was baked") }
        return Baking(
            image: recipes.title,
            cold: summaries[0],
            mmdebstrap: summaries[3],
            changedStep: summaries[1],
            unchanged: summaries[2]
        )
    }

    /// Tests an image and boots it, in a store of its own, which keeps what the tests found.
    func measureTests() async throws -> ImageTesting {
        let image = try image(.imageTest)
        let title = Benchmark.title(image)
        let place = try kiln.apart("test")
        try await kiln.copy(title, to: place)
        let lab = try place.lab("bench-test", image: image)
        var (tests, boots): ([Double], [Double]) = ([], [])
        let runs = runs ?? Part.imageTest.runs
        for number in 0..<runs {
            for isTest in number.isMultiple(of: 2) ? [true, false] : [false, true] {
                say("\(title) \(number + 1)/\(runs): \(isTest ? "tests" : "a boot")")
                // The daemon ends by itself when it was idle for a while; this makes sure that one runs.
                _ = try await place.ps()
                if isTest {
                    tests.append(try await place.test(title, within: Benchmark.patience) / .seconds(1))
                } else {
                    boots.append(try await place.up(lab, within: Benchmark.patience) / .seconds(1))
                    try await place.stop(lab)
                    try await place.down(lab)
                }
            }
        }
        guard let test = Summary(tests), let boot = Summary(boots) else { throw Failure("nothing was tested") }
        return ImageTesting(image: title, test: test, boot: boot)
    }
}

/// A copy of a recipe, and of what lies beside it, whose last step can be changed.
struct RecipeCopy: Sendable {
    /// The folder of recipes.
    let folder: String
    let name: String
    let debian: Recipe.Debian
    let version: String

    var title: String { "\(name):\(version)" }

    /// Copies the folder `Images` of the checkout, which the command has to be in.
    init(of name: String, in home: String) throws {
        let source = FileManager.default.currentDirectoryPath + "/Images"
        guard FileManager.default.fileExists(atPath: "\(source)/\(name)/image.yaml") else {
            throw Failure("there is no recipe \(source)/\(name): measure bakes in the checkout")
        }
        folder = home + "/recipes"
        try FileManager.default.copyItem(atPath: source, toPath: folder)
        let recipe = try Recipe(folder: "\(folder)/\(name)")
        guard case .debian(let debian) = recipe.base, let version = recipe.versions.first else {
            throw Failure("the recipe \(name) begins with no Debian")
        }
        (self.name, self.debian, self.version) = (name, debian, version.name)
    }

    /// Makes the program of the only step another one, which does the same.
    func change(_ mark: String) throws {
        let file = FileHandle(forUpdatingAtPath: "\(folder)/\(name)/assemble.sh")
        guard let file else { throw Failure("the recipe \(name) has no assemble.sh") }
        defer { try? file.close() }
        try file.seekToEnd()
        try file.write(contentsOf: Data("# \(mark)\n".utf8))
    }
}

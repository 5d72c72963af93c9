import Foundation
import KilnDocuments
import KilnModel
import KilnTestSupport
import Testing

@testable import KilnBakery

@Suite("Mutated recipes")
struct RecipeMutationTests {
    /// What YAML means something by, words of recipes in wrong places, and numbers that are too large.
    private static let scraps = [
        "[", "]", "{", "}", ":", "- ", "\n", "\"", "'", "*a", "&a ", "!!int ", "\0", "\t", "? ", "\u{e000}", "0", "|\n",
        ">\n",
        "---\n", "<<: ", "from: ", "../", "/", "shell: ", "99999999999999999999", "1e999", "-1", "~", "9GiB",
        "{ not: { ",
        String(repeating: "[", count: 200), String(repeating: "a: {", count: 100),
    ]

    /// The fixture's recipe, and those of the project under its name.
    private static func originals() throws -> [[UInt8]] {
        let folders = try FileManager.default.contentsOfDirectory(atPath: RecipeTests.images).sorted()
        let texts = folders.compactMap { name in
            (try? String(contentsOfFile: "\(RecipeTests.images)/\(name)/image.yaml", encoding: .utf8))
                .map { $0.replacing("\nname: \(name)\n", with: "\nname: web\n") }
        }
        return ([RecipeFixture.text] + texts).map { Array($0.utf8) }
    }

    /// Replaces some bytes by scraps, or moves a line elsewhere.
    private static func mutation(_ number: Int, of original: [UInt8]) -> [UInt8] {
        var random = SeededChance(seed: UInt64(number))
        var bytes = original
        for _ in 0...Int.random(in: 0..<3, using: &random) {
            if Int.random(in: 0..<8, using: &random) == 0 {
                var lines = bytes.split(separator: 0x0a, omittingEmptySubsequences: false)
                let line = lines.remove(at: Int.random(in: 0..<lines.count, using: &random))
                lines.insert(line, at: Int.random(in: 0...lines.count, using: &random))
                bytes = Array(lines.joined(separator: [0x0a]))
            } else {
                let place = Int.random(in: 0..<bytes.count, using: &random)
                let length = min(Int.random(in: 0..<4, using: &random), bytes.count - place)
                let scrap = scraps[Int.random(in: 0..<scraps.count, using: &random)]
                bytes.replaceSubrange(place..<place + length, with: Array(scrap.utf8))
            }
        }
        return bytes
    }

    @Test(
        "a mutated recipe is read or refused, with places in the file, and names nothing outside of its folder",
        .timeLimit(.minutes(60))
    )
    func mutations() throws {
        let fixture = try RecipeFixture()
        let originals = try Self.originals()
        var accepted = 0
        let numbers = Mutations.numbers(2_000, of: 100_000)
        for number in numbers {
            let bytes = Self.mutation(number, of: originals[number % originals.count])
            try Data(bytes).write(to: URL(fileURLWithPath: fixture.file))
            do throws(InvalidFile) {
                let recipe = try Recipe(at: fixture.file)
                accepted += 1
                let files = recipe.provisioners.flatMap { $0.files + $0.shared }
                let isInside = recipe.name.text == "web" && !files.contains { $0.hasPrefix("/") || $0.contains("..") }
                if !isInside { Issue.record("mutation \(number) names \(files)") }
            } catch {
                let isPlaced = error.problems.allSatisfy { $0.position.line > 0 && $0.position.column > 0 }
                if error.problems.isEmpty || !isPlaced { Issue.record("mutation \(number): \(error)") }
            }
        }
        #expect(numbers.count == 1 || (1..<numbers.count).contains(accepted))
    }
}

import Foundation
import KilnModel
import Testing

@Suite("What a run leaves to chance")
struct RunSeedTests {
    private func numbers(_ seed: UInt32, _ purpose: String) -> [UInt64] {
        var chance = RunSeed(seed).chance(for: purpose)
        return (0..<4).map { _ in chance.next() }
    }

    @Test("the same seed and purpose give the same numbers, in every process, and others give others")
    func same() {
        #expect(numbers(7, "a") == numbers(7, "a"))
        #expect(numbers(7, "a") != numbers(8, "a") && numbers(7, "a") != numbers(7, "b"))
        #expect(numbers(7, "bank tills, transfer 1").first == 13_241_364_342_004_069_865)
        #expect(Set((0..<20).map { _ in RunSeed.fresh() }).count > 1)
    }

    @Test("a seed is a plain number in JSON, and nothing else is one")
    func json() throws {
        #expect(String(decoding: try JSONEncoder().encode([RunSeed(.max)]), as: UTF8.self) == "[4294967295]")
        #expect(try JSONDecoder().decode([RunSeed].self, from: Data("[0]".utf8)) == [RunSeed(0)])
        #expect(throws: (any Error).self) { try JSONDecoder().decode([RunSeed].self, from: Data("[-1]".utf8)) }
    }
}

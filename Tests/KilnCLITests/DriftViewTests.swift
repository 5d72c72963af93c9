import Foundation
import KilnModel
import Testing

@testable import KilnCLI

@Suite("The drift of a server, shown")
struct DriftViewTests {
    private func report(
        _ root: [String: String],
        packages: [String: String] = [:],
        consistency: DriftReport.Consistency = .frozen
    ) throws -> DriftReport {
        func listing(_ files: [String: String], _ packages: [String: String]) throws -> RootListing {
            var entries: [RootPath: RootEntry] = [:]
            for (name, digit) in files {
                let value = String(repeating: digit, count: 64)
                entries[RootPath.root.appending(Array(name.utf8))] =
                    RootEntry(kind: .file, mode: 0o644, user: 0, group: 0, size: 1, value: value)
            }
            return RootListing(entries: entries, packages: packages)
        }
        return DriftReport(
            machine: try machine(),
            image: try digest(),
            consistency: consistency,
            difference: RootDifference(
                from: try listing(["same": "a", "changed": "a", "gone": "a"], ["old": "1"]),
                to: try listing(root, packages)
            ),
            bytesChanged: .mebibytes(9)
        )
    }

    private func machine() throws -> MachineID {
        MemberID(lab: try Name("shop"), server: try Name("web")).machine(Generation(3))
    }

    private func digest() throws -> ImageDigest { try #require(ImageDigest(String(repeating: "d", count: 64))) }

    private func text(_ report: DriftReport, isServing: Bool = true) throws -> String {
        try Renderer.text(DriftView(report: report, isServing: isServing), as: .table)
    }

    @Test("paths are grouped by kind, harmless, and the way out is named")
    func groups() throws {
        let found = try report(
            ["same": "a", "changed": "b", "new\u{1b}[2J": "c"],
            packages: ["old": "2", "extra": "1"]
        )
        #expect(
            try text(found) == """
                shop/web generation 3: 3 paths and 2 packages differ from its image dddddddddddd
                added 1
                  /new%1B[2J
                modified 1
                  /changed  (content)
                deleted 1
                  /gone
                packages 2
                  extra 1  (added)
                  old 1 → 2
                next: 'kiln replace shop/web' gives it a root as its image has it

                """
        )
        #expect(try !text(found, isServing: false).contains("kiln replace"))
    }

    @Test("a long list is cut and says so; JSON has all")
    func long() throws {
        let many = (0..<50).map { ("n\($0)", "a") } + [("same", "a"), ("changed", "a"), ("gone", "a")]
        let found = try report(Dictionary(uniqueKeysWithValues: many), packages: ["old": "1"])
        #expect(try text(found).contains("  … and 30 more; '--format json' has all\n"))
        let json = try Renderer.text(DriftView(report: found, isServing: true), as: .json)
        #expect(try JSONDecoder().decode(DriftReport.self, from: Data(json.utf8)) == found)
    }

    @Test("no drift and unseen drift are told apart")
    func none() throws {
        let same = ["same": "a", "changed": "a", "gone": "a"]
        #expect(
            try text(report(same, packages: ["old": "1"]))
                == "shop/web generation 3: no drift from its image dddddddddddd\n"
        )
        let unwritten = try text(report(same, packages: ["old": "1"], consistency: .writeback))
        #expect(unwritten.contains("has not written yet"))
        let unseen = DriftReport(machine: try machine(), image: try digest(), unobservable: "it is volatile")
        #expect(try text(unseen) == "shop/web generation 3: not observable: it is volatile\n")
    }
}

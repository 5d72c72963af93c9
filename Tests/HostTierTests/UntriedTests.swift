import Testing

@testable import kiln_sweep

@Suite("What the sweep leaves out")
struct UntriedTests {
    @Test("every fault is tried at some moment of an operation, can't occur there, or is named as not tried")
    func faults() throws {
        for operation in Operation.all {
            for fault in Fault.allCases where !operation.faults.contains(fault) {
                let mayOccur = operation.points.contains { fault.impossibility(at: $0) == nil }
                let prefix = "\(operation.name) with "
                // A name may be a part of another one's.
                let isNamed = Untried.all.contains { line in
                    line.hasPrefix(prefix)
                        && line.dropFirst(prefix.count).prefix { $0 != ":" }.split(separator: ", ")
                            .contains { $0 == fault.rawValue }
                }
                #expect(isNamed == mayOccur, "\(operation.name) with \(fault.rawValue)")
            }
        }
        let launch = try #require(Untried.all.first { $0.hasPrefix("launch with ") })
        #expect(launch.contains("full-overlay") && !launch.contains("kill-old"), "\(launch)")
    }

    @Test("every sentence of it says once what is left out, and why")
    func sentences() {
        #expect(Set(Untried.all).count == Untried.all.count)
        #expect(Untried.all.allSatisfy { $0.contains(": ") })
    }
}

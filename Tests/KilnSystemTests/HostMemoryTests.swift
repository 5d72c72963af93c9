import KilnModel
import Testing

@testable import KilnSystem

@Suite("The host's memory")
struct HostMemoryTests {
    @Test("what is available is read from the kernel's table")
    func table() {
        #expect(HostMemory.available(in: "MemTotal: 9 kB\nMemAvailable:   4096 kB\n") == 4 << 20)
        #expect(HostMemory.available(in: "nonsense") == nil)
    }

    @Test("this host has some")
    func here() throws {
        #expect(try #require(HostMemory.available()).bytes > 0)
    }
}

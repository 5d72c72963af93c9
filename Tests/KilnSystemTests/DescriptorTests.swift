import Foundation
import KilnTestSupport
import Testing

@testable import KilnSystem

@Suite("A file descriptor")
struct DescriptorTests {
    @Test("is ready for what needs no wait, and for what can't be done any more")
    func ready() throws {
        _ = brokenPipesAreErrors
        let pipe = Pipe()
        let (reading, writing) = (pipe.fileHandleForReading.fileDescriptor, pipe.fileHandleForWriting.fileDescriptor)
        #expect(!Descriptor.isReady(reading, for: .reading))
        #expect(!Descriptor.isReady(reading, for: .reading, within: 1))
        #expect(Descriptor.isReady(writing, for: .writing))
        try pipe.fileHandleForWriting.write(contentsOf: Data("x".utf8))
        #expect(Descriptor.isReady(reading, for: .reading, within: 60_000))
        try pipe.fileHandleForReading.close()
        #expect(Descriptor.isReady(writing, for: .writing))
    }

    @Test("that is full is not ready to be written to")
    func full() {
        let pipe = Pipe()
        let writing = pipe.fileHandleForWriting.fileDescriptor
        _ = fcntl(writing, F_SETFL, O_NONBLOCK)
        let bytes = [UInt8](repeating: 65, count: 4096)
        while write(writing, bytes, bytes.count) > 0 {}
        #expect(!Descriptor.isReady(writing, for: .writing))
        #expect(Descriptor.isReady(pipe.fileHandleForReading.fileDescriptor, for: .reading))
    }
}

import ArgumentParser
import Foundation
import Glibc
import KilnModel
import KilnSystem
import Testing

@testable import KilnCLI

@Suite("What is written to standard output", .timeLimit(.minutes(3)))
struct ByteSinkTests {
    @Test("a full disk is told by name, and the verb that met it does not end with 0")
    func full() async throws {
        let descriptor = open("/dev/full", O_WRONLY | O_CLOEXEC)
        try #require(descriptor >= 0)
        defer { close(descriptor) }
        let sink = ByteSink.descriptor(descriptor)
        sink.text("hello")
        #expect(sink.state() == .failed(ENOSPC))
        let error = #expect(throws: KilnError.self) { try sink.check() }
        #expect(error?.code == .outputNotWritten && error?.exit == .usage && error?.cause?.contains("space") == true)
        let recorded = RecordedSession()
        let plain = recorded.session()
        let session = Session(
            format: .table,
            terminal: plain.terminal,
            output: .descriptor(descriptor),
            errors: plain.errors,
            progress: plain.progress,
            open: plain.open
        )
        let verb = try #require(try KilnCommand.parseAsRoot(["schema", "lab"]) as? any Verb)
        #expect(await verb.status(in: session) == 64)
        #expect(recorded.errors.contains("the output can't be written"))
    }

    @Test("a pipe that others made non-blocking gets everything")
    func nonBlocking() async throws {
        let (readEnd, writeEnd) = try Wakeup.pipe()
        _ = fcntl(writeEnd, F_SETFL, O_NONBLOCK)
        let content = (0..<1_000_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        let reading = Task.detached { try FileHandle(fileDescriptor: readEnd, closeOnDealloc: true).readToEnd() }
        let sink = ByteSink.descriptor(writeEnd)
        Thread.detachNewThread {
            sink.write(content)
            close(writeEnd)
        }
        #expect(try await reading.value == Data(content))
        #expect(sink.state() == .open)
    }

    @Test("a reader that went away is no error")
    func unread() throws {
        // As kiln itself does: the signal would end this process.
        signal(SIGPIPE, SIG_IGN)
        let (readEnd, writeEnd) = try Wakeup.pipe()
        defer { close(writeEnd) }
        close(readEnd)
        let sink = ByteSink.descriptor(writeEnd)
        sink.text("hello")
        #expect(sink.state() == .unread)
        try sink.check()
    }

    @Test("a full pipe that nobody reads does not keep a command that is cancelled")
    func fullPipe() async throws {
        let (readEnd, writeEnd) = try Wakeup.pipe()
        defer {
            close(readEnd)
            close(writeEnd)
        }
        let sink = ByteSink.descriptor(writeEnd)
        #expect(Descriptor.isReady(writeEnd, for: .writing))
        let writing = Task.detached { sink.write([UInt8](repeating: 65, count: 1 << 20)) }
        try await Task.sleep(for: .milliseconds(500))
        #expect(!Descriptor.isReady(writeEnd, for: .writing))
        writing.cancel()
        await writing.value
        #expect(throws: CancellationError.self) { try sink.requireReader() }
        // What can be written is, also for one that is cancelled: its errors are.
        let (readEnd2, writeEnd2) = try Wakeup.pipe()
        defer {
            close(readEnd2)
            close(writeEnd2)
        }
        let errors = ByteSink.descriptor(writeEnd2)
        let telling = Task.detached {
            while !Task.isCancelled { await Task.yield() }
            errors.text("cancelled")
        }
        telling.cancel()
        await telling.value
        #expect(errors.state() == .open)
    }

    @Test("a log that is followed ends when its reader goes away, also where nothing more is written to it")
    func followed() async throws {
        try await Fixtures.withDirectory { directory in
            let path = directory + "/console.log"
            try Data("ready\n".utf8).write(to: URL(fileURLWithPath: path))
            let (readEnd, writeEnd) = try Wakeup.pipe()
            defer { close(writeEnd) }
            let output = ByteSink.descriptor(writeEnd)
            async let following: Void = Wakeup.run { wakeup in
                try FollowedFile(path: path).read(until: wakeup, for: output) { output.write(Array($0)) }
            }
            // On a queue of its own: where tests share two threads, what is followed may need this one.
            let count = await BlockingWork.run {
                var buffer = [UInt8](repeating: 0, count: 100)
                return read(readEnd, &buffer, buffer.count)
            }
            #expect(count == 6)
            close(readEnd)
            try await following
        }
    }

    @Test("a log or a console that nobody reads does not keep a command that is cancelled", arguments: [false, true])
    func fullPipeOfThread(isFollowed: Bool) async throws {
        try await Fixtures.withDirectory { directory in
            let path = directory + "/console.log"
            try Data(repeating: 65, count: 1 << 20).write(to: URL(fileURLWithPath: path))
            let (readEnd, writeEnd) = try Wakeup.pipe()
            defer {
                close(readEnd)
                close(writeEnd)
            }
            let output = ByteSink.descriptor(writeEnd)
            let reading = Task.detached {
                try await Wakeup.run { wakeup in
                    try FollowedFile(path: path).read(until: isFollowed ? wakeup : nil, for: output) {
                        output.write(Array($0))
                    }
                }
            }
            while Descriptor.isReady(writeEnd, for: .writing) { try await Task.sleep(for: .milliseconds(10)) }
            reading.cancel()
            try await reading.value
            #expect(output.state() == .unread)
        }
    }
}

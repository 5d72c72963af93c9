import Foundation
import KilnModel
import KilnScenarios
import Testing

/// Runs the writer on this machine, the acknowledgements going to a file.
struct WriterRun {
    let folder: URL
    let shell: [String]

    var ledger: String { folder.appending(path: "ledger").path }
    var port: String { folder.appending(path: "port").path }
    private var state: String { folder.appending(path: "state").path }

    init(_ folder: URL, shell: [String]) throws {
        self.folder = folder
        self.shell = shell
        try Data().write(to: folder.appending(path: "port"))
    }

    func start(path: String? = nil, pause: String = "") throws -> Process {
        try run(LedgerWriter.command(path: path ?? ledger, port: port, state: state, pause: pause))
    }

    /// Starts the writer and waits until it has acknowledged `count` records more.
    func start(until count: Int) throws -> Process {
        let goal = try acknowledged().count + count
        let process = try start()
        try wait(until: goal, process)
        return process
    }

    /// Waits until `goal` records are acknowledged, a minute at most.
    func wait(until goal: Int, _ process: Process) throws {
        let deadline = ContinuousClock.now + .seconds(60)
        while try acknowledged().count < goal, ContinuousClock.now < deadline, process.isRunning {
            // The file can't say when it grows; a pipe would keep the writer from being killed in mid-record.
            usleep(5000)
        }
    }

    func stop() throws -> Int32 {
        let process = try run(LedgerWriter.stopCommand(state: state))
        process.waitUntilExit()
        return process.terminationStatus
    }

    func acknowledged() throws -> [Acknowledgement] {
        var parser = AcknowledgementParser()
        let found = parser.take(try Data(contentsOf: URL(filePath: port)))
        #expect(parser.garbage == 0)
        return found
    }

    func verdict() throws -> LedgerVerdict {
        LedgerCheck.verdict(
            acknowledged: try acknowledged(),
            volumeContents: [try Data(contentsOf: URL(filePath: ledger))]
        )
    }

    private func run(_ command: [String]) throws -> Process {
        let process = Process()
        process.executableURL = URL(filePath: shell[0])
        process.arguments = Array(shell.dropFirst()) + Array(command.dropFirst())
        process.standardError = FileHandle.nullDevice
        try process.run()
        return process
    }
}

@Suite("The ledger's writer, run by a real shell", .serialized)
struct LedgerWriterTests {
    static let shells = [["/usr/bin/busybox", "sh"], ["/usr/bin/dash"]]

    @Test("every record that it acknowledges is in the file", arguments: shells)
    func writes(shell: [String]) throws {
        try withFolder { folder in
            let run = try WriterRun(folder, shell: shell)
            let writer = try run.start(until: 20)
            #expect(try run.stop() == 0)
            writer.waitUntilExit()
            let verdict = try run.verdict()
            #expect(verdict.acknowledged >= 20)
            #expect(verdict.isClean)
            #expect(verdict.unacknowledged <= 1)
        }
    }

    @Test("killed at any instant it goes on after the last record, without a gap that counts", arguments: shells)
    func killed(shell: [String]) throws {
        try withFolder { folder in
            let run = try WriterRun(folder, shell: shell)
            for _ in 0..<5 {
                let writer = try run.start(until: 5)
                kill(writer.processIdentifier, SIGKILL)
                writer.waitUntilExit()
                let handle = try FileHandle(forWritingTo: URL(filePath: run.ledger))
                try handle.seekToEnd()
                try handle.write(contentsOf: Data("R 9".utf8))
                try handle.close()
            }
            let writer = try run.start(until: 5)
            #expect(try run.stop() == 0)
            writer.waitUntilExit()
            let verdict = try run.verdict()
            #expect(verdict.acknowledged >= 30)
            #expect(verdict.isClean, "\(verdict)")
            let numbers = try run.acknowledged().map(\.number)
            #expect(zip(numbers, numbers.dropFirst()).allSatisfy { $0 < $1 })
        }
    }

    @Test("a tail of zeros, as a crash may leave, is no obstacle", arguments: shells)
    func zeros(shell: [String]) throws {
        try withFolder { folder in
            let run = try WriterRun(folder, shell: shell)
            try (Data(Ledger(3).text.utf8) + Data(count: 300)).write(to: URL(filePath: run.ledger))
            let writer = try run.start(until: 3)
            #expect(try run.stop() == 0)
            writer.waitUntilExit()
            #expect(try run.acknowledged().first?.number == 4)
            #expect(try run.verdict().isClean)
        }
    }

    @Test("what another file of the same path would get, as after an unmount, is never acknowledged", arguments: shells)
    func unmounted(shell: [String]) throws {
        try withFolder { folder in
            let run = try WriterRun(folder, shell: shell)
            let writer = try run.start(until: 5)
            let hidden = folder.appending(path: "hidden")
            try FileManager.default.moveItem(at: URL(filePath: run.ledger), to: hidden)
            try Data().write(to: URL(filePath: run.ledger))
            try run.wait(until: run.acknowledged().count + 5, writer)
            #expect(try run.stop() == 0)
            writer.waitUntilExit()
            #expect(try Data(contentsOf: URL(filePath: run.ledger)).isEmpty)
            let contents = [try Data(contentsOf: hidden)]
            #expect(LedgerCheck.verdict(acknowledged: try run.acknowledged(), volumeContents: contents).isClean)
        }
    }

    @Test("with a pause it writes no faster, and it still ends when it is told", arguments: shells)
    func pause(shell: [String]) throws {
        try withFolder { folder in
            let run = try WriterRun(folder, shell: shell)
            let start = ContinuousClock.now
            let writer = try run.start(pause: "0.200")
            try run.wait(until: 4, writer)
            #expect(.now - start >= .milliseconds(600))
            #expect(try run.stop() == 0)
            writer.waitUntilExit()
            #expect(try run.verdict().isClean)
        }
    }

    @Test("there is one writer at a time, and stopping none is no fault", arguments: shells)
    func single(shell: [String]) throws {
        try withFolder { folder in
            let run = try WriterRun(folder, shell: shell)
            #expect(try run.stop() == 0)
            let writer = try run.start(until: 1)
            let second = try run.start()
            second.waitUntilExit()
            #expect(second.terminationStatus == 5)
            #expect(writer.isRunning)
            #expect(try run.stop() == 0)
            writer.waitUntilExit()
        }
    }

    @Test("what is missing ends it at once with a status of its own", arguments: shells)
    func missing(shell: [String]) throws {
        try withFolder { folder in
            let run = try WriterRun(folder, shell: shell)
            let writer = try run.start(path: folder.appending(path: "none/ledger").path)
            writer.waitUntilExit()
            #expect(writer.terminationStatus == 3)
            try FileManager.default.removeItem(atPath: run.port)
            let portless = try run.start()
            portless.waitUntilExit()
            #expect(portless.terminationStatus == 4)
        }
    }

    @Test("where it can't write it acknowledges nothing and waits", arguments: shells)
    func unwritable(shell: [String]) throws {
        try withFolder { folder in
            let run = try WriterRun(folder, shell: shell)
            let writer = try run.start(path: "/dev/full")
            let deadline = ContinuousClock.now + .seconds(2)
            while writer.isRunning, ContinuousClock.now < deadline { usleep(20_000) }
            #expect(try run.acknowledged().isEmpty)
            #expect(try run.stop() == 0)
            writer.waitUntilExit()
        }
    }
}

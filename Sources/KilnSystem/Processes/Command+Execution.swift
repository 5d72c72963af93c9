import Foundation
import Subprocess
import Synchronization
import SystemPackage

extension Command {
    /// Runs the program.
    ///
    /// Any exit status is a result, not an error.
    ///
    /// - Throws: `KilnError` with code `tool.missing`, `tool.failed` (it could not be started) or `tool.deadline`;
    ///   `CancellationError`. The program is dead then.
    public func result() async throws -> Output { try await collected(.none, keeping: Command.keptBytes) }

    /// Runs the program, which reads one open file, and keeps the first `limit` bytes of what it prints.
    ///
    /// - Throws: as ``result()``.
    public func result(reading input: Int32, keeping limit: Int) async throws -> Output {
        let file = FileDescriptor(rawValue: input)
        return try await collected(.fileDescriptor(file, closeAfterSpawningProcess: false), keeping: limit)
    }

    private func collected(_ input: some InputProtocol, keeping limit: Int) async throws -> Output {
        try await supervised { launch in
            let result = try await Subprocess.run(
                launch,
                input: input,
                output: .sequence,
                error: .sequence
            ) { execution in
                let (output, errors) = (execution.standardOutput, execution.standardError)
                return try await Command.toTheEnd {
                    async let output = Command.collect(output, keeping: .start, limit: limit)
                    async let errors = Command.collect(errors, keeping: .end)
                    return (try await output, try await errors)
                }
            }
            let (output, errors) = result.closureResult
            return Output(status: Command.status(result.terminationStatus), output: output, errors: errors)
        }
    }

    /// Runs the program, which reads one open file and writes to another; both stay open here.
    ///
    /// - Throws: as ``result()``.
    public func result(reading input: Int32, writing output: Int32) async throws -> Output {
        try await supervised { launch in
            let result = try await Subprocess.run(
                launch,
                input: .fileDescriptor(FileDescriptor(rawValue: input), closeAfterSpawningProcess: false),
                output: .fileDescriptor(FileDescriptor(rawValue: output), closeAfterSpawningProcess: false),
                error: .sequence
            ) { execution in
                let errors = execution.standardError
                return try await Command.toTheEnd { try await Command.collect(errors, keeping: .end) }
            }
            return Output(
                status: Command.status(result.terminationStatus),
                output: [],
                errors: result.closureResult
            )
        }
    }

    /// Runs the program and insists on exit status 0.
    ///
    /// - Parameter line: takes each line that it prints, to whichever stream.
    /// - Returns: the last lines, 2048 at least where there are so many.
    /// - Throws: as ``run()``.
    public func lines(_ line: @escaping @Sendable (String) -> Void = { _ in }) async throws -> [String] {
        let (status, lines) = try await statusAndLines(line)
        guard status == 0 else {
            let last = Array(lines.suffix(12).joined(separator: "\n").utf8)
            throw failure(Output(status: status, output: last, errors: []))
        }
        return lines
    }

    /// The same, where any exit status is a result.
    ///
    /// - Throws: as ``result()``.
    public func statusAndLines(_ line: @escaping @Sendable (String) -> Void) async throws -> (Int32, [String]) {
        let kept = Mutex<[String]>([])
        let output = try await supervised { launch in
            let result = try await Subprocess.run(
                launch,
                input: .none,
                output: .sequence,
                error: .combinedWithOutput
            ) { execution in
                let output = execution.standardOutput.strings(separatedBy: .lineBreaks)
                try await Command.toTheEnd {
                    for try await text in output {
                        line(text)
                        kept.withLock { lines in
                            lines.append(text)
                            if lines.count > 4096 { lines.removeFirst(2048) }
                        }
                    }
                }
            }
            return Output(status: Command.status(result.terminationStatus), output: [], errors: [])
        }
        return (output.status, kept.withLock { $0 })
    }

    /// Reads on while a cancelled program tidies up: one that then writes to a pipe that nobody reads is dead at once.
    ///
    /// It ends with the program, which cancellation ends.
    static func toTheEnd<T: Sendable>(_ read: @escaping @Sendable () async throws -> T) async throws -> T {
        try await Task { try await read() }.value
    }

    enum Kept {
        case start
        case end
    }

    static func collect(
        _ stream: SubprocessOutputSequence,
        keeping kept: Kept,
        limit: Int = Command.keptBytes
    ) async throws -> [UInt8] {
        var bytes: [UInt8] = []
        for try await buffer in stream {
            bytes.append(contentsOf: buffer.withUnsafeBytes { Array($0) })
            guard bytes.count > limit else { continue }
            switch kept {
            case .start: bytes.removeLast(bytes.count - limit)
            case .end: bytes.removeFirst(bytes.count - limit)
            }
        }
        return bytes
    }

    static func status(_ status: TerminationStatus) -> Int32 {
        switch status {
        case .exited(let code): code
        case .signaled(let signal): 128 + signal
        }
    }
}

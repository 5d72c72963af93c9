import Foundation

/// Reads a text file that a user names.
package enum TextFile {
    /// The text, or nothing after reporting why not.
    package static func read(_ path: String, _ problems: ProblemList) -> String? {
        bytes(path, problems).flatMap { text($0, problems) }
    }

    /// The bytes of a file, or nothing after reporting why not.
    ///
    /// Only regular files are read, so that a pipe can't block and a device can't be endless.
    package static func bytes(_ path: String, _ problems: ProblemList) -> [UInt8]? {
        switch bytes(path) {
        case .success(let bytes): return bytes
        case .failure(let failure):
            problems.add(Position(line: 1, column: 1), "", failure.message)
            return nil
        }
    }

    /// The text that the bytes are, or nothing after reporting the place of the first that is none.
    package static func text(_ bytes: [UInt8], _ problems: ProblemList) -> String? {
        var (decoder, rest) = (UTF8(), bytes.makeIterator())
        var (line, column, count) = (1, 1, 0)
        while true {
            switch decoder.decode(&rest) {
            case .emptyInput:
                return String(decoding: bytes, as: UTF8.self)
            case .error:
                let byte = "0x" + String(bytes[count], radix: 16)
                problems.add(Position(line: line, column: column), "", "expected UTF-8 text, found the byte \(byte)")
                return nil
            case .scalarValue("\0"):
                problems.add(Position(line: line, column: column), "", "expected text without NUL characters")
                return nil
            case .scalarValue(let scalar):
                count += UTF8.width(scalar)
                (line, column) = scalar == "\n" ? (line + 1, 1) : (line, column + 1)
            }
        }
    }

    private struct Failure: Error {
        let message: String
    }

    private static func bytes(_ path: String) -> Result<[UInt8], Failure> {
        let descriptor = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
        guard descriptor >= 0 else { return .failure(systemFailure(errno)) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { return .failure(systemFailure(errno)) }
        guard status.st_mode & S_IFMT == S_IFREG else { return .failure(Failure(message: "expected a regular file")) }
        // One byte more than is accepted: what is too long then shows, even in a file that grows.
        var buffer = [UInt8](repeating: 0, count: YAMLDocument.largest + 1)
        var count = 0
        while count < buffer.count {
            let got = buffer.withUnsafeMutableBytes { bytes in
                Foundation.read(descriptor, bytes.baseAddress?.advanced(by: count), bytes.count - count)
            }
            if got < 0, errno == EINTR { continue }
            guard got >= 0 else { return .failure(systemFailure(errno)) }
            if got == 0 { break }
            count += got
        }
        guard count <= YAMLDocument.largest else {
            return .failure(Failure(message: "expected at most 1 MiB, found \(status.st_size) bytes"))
        }
        return .success(Array(buffer[..<count]))
    }

    private static func systemFailure(_ code: Int32) -> Failure {
        Failure(message: "can't be read: \(String(cString: strerror(code)))")
    }
}

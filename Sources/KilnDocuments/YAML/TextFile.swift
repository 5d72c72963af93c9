import Foundation

/// Reads a text file that a user names.
package enum TextFile {
    /// The text, or nothing after reporting why not.
    ///
    /// Only regular files are read, so that a pipe can't block and a device can't be endless.
    package static func read(_ path: String, _ problems: ProblemList) -> String? {
        switch bytes(path) {
        case .success(let bytes):
            guard let text = String(validating: bytes, as: UTF8.self) else {
                problems.add(Position(line: 1, column: 1), "", "expected UTF-8 text")
                return nil
            }
            return text
        case .failure(let failure):
            problems.add(Position(line: 1, column: 1), "", failure.message)
            return nil
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
        guard count <= YAMLDocument.largest else { return .failure(Failure(message: "expected at most 1 MiB")) }
        return .success(Array(buffer[..<count]))
    }

    private static func systemFailure(_ code: Int32) -> Failure {
        Failure(message: "can't be read: \(String(cString: strerror(code)))")
    }
}

import Foundation
import KilnModel
import KilnSystem
import Synchronization

/// What comes out of a guest, part by part, on its way to standard output or to a file, which appears when it is whole.
final class HostCopy: Sendable {
    /// A file beside the one that it becomes.
    private struct Draft: Sendable {
        let target: String
        let path: String
        let descriptor: Int32
    }

    private let draft: Draft?
    private let output: ByteSink
    private let count = Mutex(0)

    /// A copy to a path, or to standard output for `-`; into a directory under the name that the guest's file has.
    ///
    /// - Throws: `KilnError` with code `cp.failed` where it can't be written there.
    init(_ path: String, named origin: String, _ session: Session) throws {
        output = session.output
        draft = path == "-" ? nil : try HostCopy.draft(path, named: origin)
    }

    deinit {
        guard let draft else { return }
        close(draft.descriptor)
        // Gone already where it became the target.
        unlink(draft.path)
    }

    private static func draft(_ path: String, named origin: String) throws -> Draft {
        let name = origin.split(separator: "/").last.map(String.init) ?? "file"
        // A link stays one, and its file is replaced.
        let target = URL(fileURLWithPath: HostFile.isFolder(path) ? "\(path)/\(name)" : path).resolvingSymlinksInPath()
            .path
        var old = stat()
        let isThere = stat(target, &old) == 0
        if isThere, old.st_mode & S_IFMT != S_IFREG {
            throw HostFile.failed(
                "is no regular file",
                target,
                nil,
                hint: "name another, or '-' and say where to: '- >PATH'"
            )
        }
        let draft = "\(target).kiln-\(UUID().uuidString.prefix(8))"
        let descriptor = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw failed(target) }
        if isThere { fchmod(descriptor, old.st_mode & 0o777) }
        return Draft(target: target, path: draft, descriptor: descriptor)
    }

    /// Writes the next part.
    ///
    /// - Throws: `KilnError` with code `cp.failed` or `output.not-written`.
    func take(_ bytes: [UInt8]) throws {
        if let draft {
            var rest = bytes[...]
            while !rest.isEmpty {
                let written = rest.withUnsafeBytes { write(draft.descriptor, $0.baseAddress, $0.count) }
                if written < 0 && errno == EINTR { continue }
                guard written > 0 else { throw HostCopy.failed(draft.target) }
                rest = rest.dropFirst(written)
            }
        } else {
            output.write(bytes)
            try output.check()
        }
        count.withLock { $0 += bytes.count }
    }

    /// Gives the file its name, and says what was copied.
    ///
    /// - Throws: `KilnError` with code `cp.failed`.
    func finish() throws -> String {
        if let draft, rename(draft.path, draft.target) != 0 { throw HostCopy.failed(draft.target) }
        return "copied \(count.withLock { $0 }) bytes"
    }

    private static func failed(_ target: String) -> KilnError {
        HostFile.failed("can't be written", target, String(cString: strerror(errno)))
    }
}

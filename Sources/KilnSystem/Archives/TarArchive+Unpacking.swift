import Foundation
import KilnModel

extension TarArchive {
    /// Unpacks the archive into a folder that is empty, and that nobody else can write to.
    ///
    /// Files belong to whoever unpacks; permissions and times are those of the archive, without set-user-id and its kind.
    ///
    /// - Parameters:
    ///   - folder: becomes what the archive's own folder was.
    ///   - bytes: what the archive was read from.
    /// - Throws: `KilnError` with code `file.unwritable`.
    public func unpack(_ bytes: [UInt8], into folder: String) throws {
        for entry in entries {
            let path = TarArchive.place(entry, in: folder)
            switch entry.kind {
            case .folder:
                // Its own permissions come last: it may be closed to those who fill it.
                guard entry.path.isEmpty || mkdir(path, 0o700) == 0 else { throw TarArchive.failed(entry) }
            case .file(let content): try TarArchive.write(bytes[content], to: path, entry)
            case .link(let target):
                guard symlink(TarArchive.terminated(target), path) == 0 else { throw TarArchive.failed(entry) }
            }
        }
        // From within outwards: whatever is made in a folder changes its time.
        for entry in entries.reversed() {
            let path = TarArchive.place(entry, in: folder)
            if entry.kind == .folder { chmod(path, entry.mode) }
            let times = [
                timespec(tv_sec: 0, tv_nsec: TarArchive.omitted), timespec(tv_sec: entry.modified, tv_nsec: 0),
            ]
            utimensat(AT_FDCWD, path, times, AT_SYMLINK_NOFOLLOW)
        }
    }

    // UTIME_OMIT, which Glibc's module lacks: the time of the last reading stays.
    private static let omitted = (1 << 30) - 2

    private static func write(_ content: ArraySlice<UInt8>, to path: [CChar], _ entry: Entry) throws {
        let file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw failed(entry) }
        defer { close(file) }
        var rest = content
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Foundation.write(file, $0.baseAddress, $0.count) }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { throw failed(entry) }
            rest = rest.dropFirst(count)
        }
        guard fchmod(file, entry.mode) == 0 else { throw failed(entry) }
    }

    private static func failed(_ entry: Entry) -> KilnError {
        FileError.failed(.fileUnwritable, "make", Printable.text(entry.path.joined(separator: Array("/".utf8))))
    }

    // As bytes: a name in a guest need not be text.
    private static func place(_ entry: Entry, in folder: String) -> [CChar] {
        terminated(entry.path.reduce(Array(folder.utf8)) { $0 + [UInt8(ascii: "/")] + $1 })
    }

    private static func terminated(_ bytes: [UInt8]) -> [CChar] { bytes.map { CChar(bitPattern: $0) } + [0] }
}

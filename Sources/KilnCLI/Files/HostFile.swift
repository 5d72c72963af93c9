import Foundation
import KilnModel

/// Files of the host that are copied whole.
enum HostFile {
    /// Whether a path leads to a folder.
    static func isFolder(_ path: String) -> Bool { kind(path) == S_IFDIR }

    /// The content of a regular file.
    static func read(_ path: String) throws -> [UInt8] {
        // Looked at before it is opened, which would wait for a writer of a FIFO.
        switch kind(path) {
        case nil, S_IFREG: break
        case S_IFDIR: throw failed("is a folder", path, nil, hint: "copy it with '-r'")
        default:
            throw failed(
                "is a device, a socket or a FIFO",
                path,
                nil,
                hint: "let a program read it: '… | kiln cp - SERVER:PATH'"
            )
        }
        guard let file = FileHandle(forReadingAtPath: path) else {
            throw failed("can't be read", path, String(cString: strerror(errno)))
        }
        defer { try? file.close() }
        let data: Data
        do {
            data = try file.read(upToCount: CpVerb.largest + 1) ?? Data()
        } catch {
            throw failed("can't be read", path, "\(error)")
        }
        guard data.count <= CpVerb.largest else {
            throw failed(
                "is larger than \(ByteCount(bytes: UInt64(CpVerb.largest)))",
                path,
                nil,
                hint: "cut it into pieces with 'split', or copy it over a published port"
            )
        }
        return Array(data)
    }

    /// Writes what was read, to standard output for `-`, and says so.
    static func hand(_ bytes: [UInt8], to path: String, named origin: String, _ session: Session) throws -> String {
        let copy = try HostCopy(path, named: origin, session)
        try copy.take(bytes)
        return try copy.finish()
    }

    static func failed(
        _ what: String,
        _ path: String,
        _ cause: String?,
        hint: String = "name another file, or see to its permissions"
    ) -> KilnError {
        KilnError(.cpFailed, "\(Name.quoted(path)) \(what)", hint: hint, cause: cause, exit: .usage)
    }

    private static func kind(_ path: String) -> mode_t? {
        var status = stat()
        return stat(path, &status) == 0 ? status.st_mode & S_IFMT : nil
    }
}

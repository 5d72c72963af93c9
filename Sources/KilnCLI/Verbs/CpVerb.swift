import ArgumentParser
import Foundation
import KilnEngine
import KilnModel

/// `kiln cp`: copies one file into or out of a server.
struct CpVerb: Verb {
    static let configuration = CommandConfiguration(
        commandName: "cp",
        abstract: "Copy a file between the host and a server; one side is SERVER:PATH, '-' is standard input or output."
    )

    /// The largest file: all of it is held in memory.
    static let largest = 64 << 20

    @Argument(help: "Where from.", completion: .file())
    var source: String

    @Argument(help: "Where to.", completion: .file())
    var destination: String

    @OptionGroup var global: GlobalOptions

    func validate() throws {
        switch (CopySide(source), CopySide(destination)) {
        case (.host, .guest), (.guest, .host): return
        default: throw ValidationError("Exactly one of the two has to be SERVER:PATH, with an absolute path.")
        }
    }

    func execute(_ session: Session) async throws -> Int32 {
        let engine = try await session.workspace().engine
        let count: Int
        switch (CopySide(source), CopySide(destination)) {
        case (.host(let path), .guest(let server, let target)):
            let bytes = try path == "-" ? StandardInput.read(atMost: CpVerb.largest) : HostFile.read(path)
            try await engine.write(bytes, to: target, on: try engine.server(named: server))
            count = bytes.count
        case (.guest(let server, let origin), .host(let path)):
            let id = try engine.server(named: server)
            guard let bytes = try await engine.read(origin, on: id, limit: CpVerb.largest) else {
                throw KilnError("cp.missing", "\(id) has no file \(Name.quoted(origin))", exit: .usage)
            }
            if path == "-" {
                session.output.write(bytes)
            } else {
                try HostFile.write(bytes, to: path, named: origin)
            }
            count = bytes.count
        default: throw ValidationError("Exactly one of the two has to be SERVER:PATH.")
        }
        session.say("copied \(count) bytes")
        return 0
    }
}

/// One side of a copy.
enum CopySide: Equatable {
    /// A path on the host, or `-`.
    case host(String)
    /// An absolute path in a server.
    case guest(server: String, path: String)

    /// Reads the written form; a path of the host that holds `:/` is written with a leading `./`.
    init(_ text: String) {
        guard let colon = text.range(of: ":/"), !text.hasPrefix("/"), !text.hasPrefix(".") else {
            self = .host(text)
            return
        }
        let path = String(text[text.index(after: colon.lowerBound)...])
        self = .guest(server: String(text[..<colon.lowerBound]), path: path)
    }
}

/// Files of the host that are copied whole.
enum HostFile {
    /// The content of a regular file.
    static func read(_ path: String) throws -> [UInt8] {
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
            throw failed("is larger than \(ByteCount(bytes: UInt64(CpVerb.largest)))", path, nil)
        }
        return Array(data)
    }

    /// Writes a file, replacing its content; into a directory under the name that the guest's file has.
    static func write(_ bytes: [UInt8], to path: String, named origin: String) throws {
        var isDirectory: ObjCBool = false
        _ = FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory)
        let name = origin.split(separator: "/").last.map(String.init) ?? "file"
        let target = isDirectory.boolValue ? "\(path)/\(name)" : path
        do {
            try Data(bytes).write(to: URL(fileURLWithPath: target), options: .atomic)
        } catch {
            throw failed("can't be written", target, "\(error)")
        }
    }

    private static func failed(_ what: String, _ path: String, _ cause: String?) -> KilnError {
        KilnError("cp.failed", "\(Name.quoted(path)) \(what)", cause: cause, exit: .usage)
    }
}

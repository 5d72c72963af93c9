import ArgumentParser
import Foundation
import KilnEngine
import KilnModel

/// `kiln cp`: copies one file into or out of a server.
struct CpVerb: Verb {
    static let configuration = CommandConfiguration(
        commandName: "cp",
        abstract:
            "Copy a file between the host and a server; one side is SERVER:PATH, '-' is standard input or output.",
        discussion: """
            SERVER@GENERATION:PATH reads from the root of that generation, as long as it is there, from outside: also what a \
            volume hides.
            """
    )

    /// The largest file: all of it is held in memory.
    static let largest = 64 << 20

    /// How long standard input may take to come to its end; Ctrl-C works all the while.
    static let patience = Duration.seconds(3600)

    @Argument(help: "Where from.", completion: .file())
    var source: String

    @Argument(help: "Where to.", completion: .file())
    var destination: String

    @Flag(help: "Do not wait until a server that boots has mounted its volumes.")
    var now = false

    @OptionGroup var global: GlobalOptions

    func validate() throws {
        switch (CopySide(source), CopySide(destination)) {
        case (.host, .guest(let server, _)), (.guest(let server, _), .host):
            if server.contains("@") {
                throw ValidationError("'\(server)' names no generation: SERVER@GENERATION takes a number from 1 on.")
            }
        case (.root, .host):
            if now { throw ValidationError("--now is about a machine that runs; leave it out for SERVER@GENERATION.") }
        case (_, .root): throw ValidationError("SERVER@GENERATION:PATH can only be copied from.")
        default: throw ValidationError("Exactly one of the two has to be SERVER:PATH, with an absolute path.")
        }
    }

    func execute(_ session: Session) async throws -> Int32 {
        let engine = try await session.workspace().engine
        let count: Int
        switch (CopySide(source), CopySide(destination)) {
        case (.host(let path), .guest(let server, let target)):
            let bytes =
                path == "-"
                ? try await StandardInput.read(atMost: CpVerb.largest, within: CpVerb.patience)
                : try HostFile.read(path)
            try await engine.write(bytes, to: target, on: try engine.server(named: server), now: now)
            count = bytes.count
        case (.guest(let server, let origin), .host(let path)):
            let id = try engine.server(named: server)
            guard let bytes = try await engine.read(origin, on: id, limit: CpVerb.largest, now: now) else {
                throw KilnError(
                    .cpMissing,
                    "\(id) has no file \(Name.quoted(origin))",
                    hint: "see what there is: 'kiln exec \(id) -- ls -la DIRECTORY'",
                    exit: .usage
                )
            }
            count = try hand(bytes, to: path, named: origin, session)
        case (.root(let server, let generation, let origin), .host(let path)):
            let id = try engine.server(named: server)
            let bytes = try await engine.read(origin, onRootOf: id, generation, limit: CpVerb.largest)
            count = try hand(bytes, to: path, named: origin, session)
        default: throw ValidationError("Exactly one of the two has to be SERVER:PATH.")
        }
        session.say("copied \(count) bytes")
        return 0
    }

    private func hand(_ bytes: [UInt8], to path: String, named origin: String, _ session: Session) throws -> Int {
        if path == "-" {
            session.output.write(bytes)
        } else {
            try HostFile.write(bytes, to: path, named: origin)
        }
        return bytes.count
    }
}

/// One side of a copy.
enum CopySide: Equatable {
    /// A path on the host, or `-`.
    case host(String)
    /// An absolute path in a server.
    case guest(server: String, path: String)
    /// An absolute path on the root of a generation.
    case root(server: String, generation: Generation, path: String)

    /// Reads the written form; a path of the host that holds `:/` is written with a leading `./`.
    init(_ text: String) {
        guard let colon = text.range(of: ":/"), !text.hasPrefix("/"), !text.hasPrefix(".") else {
            self = .host(text)
            return
        }
        let path = String(text[text.index(after: colon.lowerBound)...])
        let server = text[..<colon.lowerBound].split(separator: "@", omittingEmptySubsequences: false).map(String.init)
        if server.count == 2, let number = Int(server[1]), number > 0 {
            self = .root(server: server[0], generation: Generation(number), path: path)
        } else {
            self = .guest(server: server.joined(separator: "@"), path: path)
        }
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
            throw failed(
                "is larger than \(ByteCount(bytes: UInt64(CpVerb.largest)))",
                path,
                nil,
                hint: "cut it into pieces with 'split', or copy it over a published port"
            )
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

    private static func failed(
        _ what: String,
        _ path: String,
        _ cause: String?,
        hint: String = "name another file, or see to its permissions"
    ) -> KilnError {
        KilnError(.cpFailed, "\(Name.quoted(path)) \(what)", hint: hint, cause: cause, exit: .usage)
    }
}

import ArgumentParser
import Foundation
import KilnEngine
import KilnModel

/// `kiln cp`: copies a file or a folder into or out of a server.
struct CpVerb: Verb {
    static let configuration = CommandConfiguration(
        commandName: "cp",
        abstract:
            "Copy a file or a folder between the host and a server; one side is SERVER:PATH, '-' is standard input or output.",
        discussion: """
            SERVER@GENERATION:PATH reads from the root of that generation, as long as it is there, from outside: also what a \
            volume hides.
            A folder (-r) is copied to where nothing is, and appears there when it is whole: permissions and times stay, \
            links are copied as links, and what is no file, folder or link is refused before anything is written. \
            Where '-' is the other side it is a tar archive of what is in the folder.
            """
    )

    /// The largest file into a guest or from a root, and the largest archive of a folder: all of it is held in memory.
    static let largest = 64 << 20

    /// How long standard input may take to come to its end; Ctrl-C works all the while.
    static let patience = Duration.seconds(3600)

    @Argument(help: "Where from.", completion: .copySides)
    var source: String

    @Argument(help: "Where to.", completion: .copySides)
    var destination: String

    @Flag(name: [.customShort("r"), .long], help: "Copy a folder with all that is in it.")
    var recursive = false

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
            if recursive { throw ValidationError("A folder can only be copied from a machine that runs: SERVER:PATH.") }
        case (_, .root): throw ValidationError("SERVER@GENERATION:PATH can only be copied from.")
        default: throw ValidationError("Exactly one of the two has to be SERVER:PATH, with an absolute path.")
        }
    }

    func execute(_ session: Session) async throws -> Int32 {
        let engine = try await session.workspace().engine
        switch (CopySide(source), CopySide(destination)) {
        case (.host(let path), .guest(let server, let target)):
            let guest = Guest(engine: engine, id: try engine.member(named: server), now: now)
            let isFolder = recursive && (path == "-" || HostFile.isFolder(path))
            session.say(try await isFolder ? guest.putFolder(path, target, session) : guest.putFile(path, target))
        case (.guest(let server, let origin), .host(let path)):
            let guest = Guest(engine: engine, id: try engine.member(named: server), now: now)
            session.say(try await guest.get(origin, path, isRecursive: recursive, session))
        case (.root(let server, let generation, let origin), .host(let path)):
            let id = try engine.member(named: server)
            let bytes = try await engine.read(origin, onRootOf: id, generation, limit: CpVerb.largest)
            session.say(try HostFile.hand(bytes, to: path, named: origin, session))
        default: throw ValidationError("Exactly one of the two has to be SERVER:PATH.")
        }
        return 0
    }

    /// The guest that is copied to or from; every copy says what it did.
    private struct Guest {
        let engine: LabEngine
        let id: MemberID
        let now: Bool

        func putFile(_ path: String, _ target: String) async throws -> String {
            let bytes =
                path == "-"
                ? try await StandardInput.read(atMost: CpVerb.largest, within: CpVerb.patience)
                : try HostFile.read(path)
            let place = try await place(target)
            let name = (path as NSString).lastPathComponent
            guard place != .nowhere else { throw noFolder(target) }
            if place == .folder, path != "-" {
                guard try await self.place("\(target)/\(name)") != .folder else { throw isFolder("\(target)/\(name)") }
                try await engine.write(bytes, to: "\(target)/\(name)", on: id, now: now)
            } else {
                try refuseOdd(place, target)
                try await engine.write(bytes, to: target, on: id, now: now)
            }
            return "copied \(bytes.count) bytes"
        }

        func putFolder(_ path: String, _ target: String, _ session: Session) async throws -> String {
            guard path != "-" else {
                let archive = try await StandardInput.read(atMost: CpVerb.largest, within: CpVerb.patience)
                let place = try await engine.unpack(archive, to: target, named: "", on: id, now: now)
                return "unpacked \(archive.count) bytes as \(Name.quoted(place))"
            }
            let folder = try HostFolder(path)
            let (archive, remarks) = try await folder.pack()
            if !remarks.isEmpty { session.say("note: \(ConsoleText.singleLine(remarks))") }
            session.say("copying \(folder.summary)")
            let place = try await engine.unpack(archive, to: target, named: folder.name, on: id, now: now)
            return "copied \(folder.summary) to \(Name.quoted(place))"
        }

        func get(_ origin: String, _ path: String, isRecursive: Bool, _ session: Session) async throws -> String {
            switch try await place(origin) {
            case .folder where isRecursive: return try await getFolder(origin, path, session)
            case let place: try refuseOdd(place, origin)
            }
            let copy = try HostCopy(path, named: origin, session)
            do {
                let isThere = try await engine.read(origin, on: id, now: now) { bytes in
                    try copy.take(bytes)
                    // A file of a guest may have no end.
                    if path == "-" { try session.output.requireReader() }
                }
                guard isThere else { throw missing(origin) }
            } catch is CancellationError where session.output.state() == .unread && !Task.isCancelled {
                // As in `kiln cp web:/log - | head`: who reads has what he wanted.
            }
            return try copy.finish()
        }

        private func getFolder(_ origin: String, _ path: String, _ session: Session) async throws -> String {
            let target = path == "-" ? path : try HostFolder.target(path, named: origin)
            let (archive, remarks) = try await engine.pack(origin, on: id, limit: CpVerb.largest, now: now)
            if !remarks.isEmpty { session.say("note: \(ConsoleText.singleLine(remarks))") }
            guard path != "-" else {
                session.output.write(archive)
                try session.output.check()
                return "copied \(archive.count) bytes"
            }
            return "copied \(try HostFolder.unpack(archive, of: id, to: target)) to \(Name.quoted(target))"
        }

        // A FIFO would keep the agent waiting for ever.
        private func refuseOdd(_ place: GuestPlace, _ path: String) throws {
            switch place {
            case .file, .free: break
            case .folder: throw isFolder(path)
            case .nowhere: throw missing(path)
            case .other:
                throw KilnError(
                    .cpOddFiles,
                    "\(Name.quoted(path)) on \(id) is a device, a socket or a FIFO",
                    hint: "let a program in the guest read or write it: 'kiln exec \(id) -- …'",
                    exit: .usage
                )
            }
        }

        // Only a hint of what to do: a guest that runs no commands may yet hand files out.
        private func place(_ path: String) async throws -> GuestPlace {
            do {
                return try await engine.place(path, on: id, now: now)
            } catch let error as KilnError where error.code == .guestForbidden {
                return .file
            }
        }

        private func isFolder(_ path: String) -> KilnError {
            KilnError(
                .cpFailed,
                "\(Name.quoted(path)) on \(id) is a folder",
                hint: "copy a folder with '-r'; a file is copied to another name",
                exit: .usage
            )
        }

        private func noFolder(_ target: String) -> KilnError {
            KilnError(
                .cpMissing,
                "\(id) has no folder for \(Name.quoted(target))",
                hint: "make it first: 'kiln exec \(id) -- mkdir -p …'",
                exit: .usage
            )
        }

        private func missing(_ path: String) -> KilnError {
            KilnError(
                .cpMissing,
                "\(id) has no file \(Name.quoted(path))",
                hint: "see what there is: 'kiln exec \(id) -- ls -la DIRECTORY'",
                exit: .usage
            )
        }
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

import Foundation
import KilnModel
import KilnSystem

extension FileTree {
    /// What is in the folder now.
    ///
    /// It is read by tar in the tree's own namespace, where every file can be read and has the owner that a guest will see.
    ///
    /// - Throws: `KilnError` with code `tool.…`, `bake.tree-unreadable`; `CancellationError`.
    func listing() async throws -> TreeListing {
        let pipe = try TreePipe()
        // Times are not looked at.
        let command = archiving(to: "-", epoch: 0)
        async let reading = pipe.read(named: path)
        do {
            let output = try await pipe.write(by: command)
            guard output.status == 0 else { throw command.failure(output) }
        } catch {
            _ = try? await reading
            throw error
        }
        return try await reading
    }

    /// What an archive of a tree holds.
    ///
    /// - Throws: `KilnError` with code `bake.tree-unreadable`, `file.unreadable` or `file.not-regular`.
    static func listing(ofArchive path: String) async throws -> TreeListing {
        try await BlockingWork.run {
            let file = try OpenFile(reading: path)
            return try TreePipe.listing(file.descriptor, named: path)
        }
    }
}

/// What lies between tar and whoever reads what it writes.
private struct TreePipe: Sendable {
    private let readEnd: CInt
    private let writeEnd: CInt

    init() throws {
        var ends: [CInt] = [-1, -1]
        // Sockets, since only those can be made so that no program inherits them that is started in the same moment.
        guard socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0, &ends) == 0 else {
            throw KilnError(.hostNoPipe, "no pipe can be made", cause: String(cString: strerror(errno)))
        }
        (readEnd, writeEnd) = (ends[0], ends[1])
    }

    /// Reads to the end, which comes with that of the program.
    func read(named name: String) async throws -> TreeListing {
        try await BlockingWork.run {
            defer { close(readEnd) }
            do {
                return try TreePipe.listing(readEnd, named: name)
            } catch {
                // Without a reader the program would fail, too, and say less.
                drain()
                throw error
            }
        }
    }

    private func drain() {
        var rest = [UInt8](repeating: 0, count: 1 << 16)
        while case let count = Foundation.read(readEnd, &rest, rest.count), count > 0 || count < 0 && errno == EINTR {}
    }

    func write(by command: Command) async throws -> Command.Output {
        defer { close(writeEnd) }
        let nothing = open("/dev/null", O_RDONLY | O_CLOEXEC)
        guard nothing >= 0 else { throw FileError.failed(.fileUnreadable, "read", "/dev/null") }
        defer { close(nothing) }
        return try await command.result(reading: nothing, writing: writeEnd)
    }

    static func listing(_ descriptor: CInt, named name: String) throws -> TreeListing {
        do {
            return try TreeListing(TarStream(descriptor, named: name))
        } catch let refusal as TarArchive.Refusal {
            throw KilnError(
                .bakeTreeUnreadable,
                "the tree \(name) can't be listed: its archive \(refusal)",
                hint: "look for what a step of the recipe left there",
                exit: .aborted
            )
        }
    }
}

import CExt2fs
import Foundation
import Glibc
import KilnModel
import KilnSystem

/// Reads a root file system: what kiln runs itself once more for.
///
/// The file system may be made to attack whoever reads it. So this process gets it as an open file and nothing else, gives
/// up every privilege, can open nothing and start nothing any more, and is limited by the kernel in memory, time and output,
/// before it looks at the first byte. What it writes is checked by the kiln that reads it.
public enum RootWalk {
    static let argument = "__root"

    /// The arguments of kiln that make it this process; its standard input is the file system.
    static func arguments(executable: String, user: String?, _ request: Request) -> [String] {
        [executable, argument, user ?? ""] + request.arguments
    }

    /// Becomes the process that reads, and never returns, if `arguments` say so.
    ///
    /// To be called first of all in kiln's main.
    public static func runIfRequested(arguments: [String]) {
        guard arguments.count > 1, arguments[1] == argument else { return }
        do {
            guard let request = Request(arguments.dropFirst(3)) else { throw ConfinementFailure(what: "what to do") }
            let user = arguments.dropFirst(2).first.flatMap { $0.isEmpty ? nil : $0 }
            try confine(to: user, writing: request.longestOutput)
            var output = Output()
            try perform(request, to: &output)
            exit(output.flush() ? 0 : output.isRoomMissing ? noRoom : 1)
        } catch let failure as FileSystem.Failure {
            say("libext2fs can't \(failure.doing): \(failure.code)")
            exit(failure.doing == FileSystem.opening ? noFileSystem : 1)
        } catch let damage as RootArchive.Damage {
            say("\(damage.path): \(damage.what)")
            exit(damaged)
        } catch {
            say("\(error)")
            exit(1)
        }
    }

    private static func say(_ text: String) {
        let bytes = Array("\(text)\n".utf8)
        _ = Glibc.write(2, bytes, bytes.count)
    }

    /// The exit status that says that there is no file system to be read.
    static let noFileSystem: Int32 = 3
    /// The exit status that says that there is no regular file at the path.
    static let noFile: Int32 = 4
    /// The exit status that says that the file is larger than wanted.
    static let tooLarge: Int32 = 5
    /// The exit status that says that there is no room for the output.
    static let noRoom: Int32 = 6
    /// The exit status that says that something on the file system can't be what it should.
    static let damaged: Int32 = 7

    private static func perform(_ request: Request, to output: inout Output) throws {
        let files = try FileSystem(descriptor: 0, isWritten: request.changesTimes)
        guard !files.needsReplay else { throw ConfinementFailure(what: "the journal was not replayed") }
        switch request {
        case .list(let paths): try list(files, below: paths, to: &output)
        case .read(let path, let limit): try copy(path, limit, files, to: &output)
        case .archive:
            var archive = RootArchive(files)
            try archive.write(to: &output)
        case .clampTimes(let epoch): try files.clampTimes(to: epoch)
        }
    }

    private static func copy(_ path: RootPath, _ limit: Int, _ files: FileSystem, to output: inout Output) throws {
        var number = FileSystem.root
        for name in path.names {
            let entries = (try? files.names(in: number)) ?? []
            guard let entry = entries.first(where: { $0.name == name }) else { exit(noFile) }
            number = entry.inode
        }
        let inode = try files.inode(number)
        guard UInt32(inode.i_mode) & S_IFMT == S_IFREG else { exit(noFile) }
        guard inode.size <= UInt64(limit) else { exit(tooLarge) }
        try files.read(number) { output.write($0) }
    }
}

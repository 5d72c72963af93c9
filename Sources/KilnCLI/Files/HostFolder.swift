import Foundation
import KilnModel
import KilnSystem

/// A folder of the host that is copied whole, or one that a copy makes.
struct HostFolder {
    /// What it is called, also where it was named as `.`.
    let name: String
    /// What is in it, for people.
    let summary: String
    private let path: String

    /// Looks at everything in a folder.
    ///
    /// - Throws: `cp.odd-files` where there is more than files, folders and links; `cp.failed` where it is too large.
    init(_ path: String) throws {
        name = URL(fileURLWithPath: path).standardizedFileURL.lastPathComponent
        let path = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
        self.path = path
        var (odd, count, size) = ([String](), 0, 0)
        for case let entry as String in FileManager.default.enumerator(atPath: path) ?? .init() {
            var status = stat()
            // What is gone by now, tar won't miss either.
            guard lstat("\(path)/\(entry)", &status) == 0 else { continue }
            count += 1
            switch status.st_mode & S_IFMT {
            case S_IFREG: size += Int(status.st_size)
            case S_IFDIR, S_IFLNK: break
            default: odd.append(entry)
            }
        }
        guard odd.isEmpty else { throw HostFolder.odd(path, odd.sorted()) }
        guard size <= CpVerb.largest, count <= TarArchive.largestCount else { throw HostFolder.tooLarge(path) }
        summary = HostFolder.summary(count, size)
    }

    /// A tar archive of it, and what tar remarked.
    ///
    /// Its files are root's in the guest, and none has a set-user-id.
    func pack() async throws -> (archive: [UInt8], remarks: String) {
        let draft = FileManager.default.temporaryDirectory.path + "/kiln-cp-\(UUID().uuidString)"
        let output = open(draft, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        let input = open("/dev/null", O_RDONLY | O_CLOEXEC)
        defer { [input, output].filter { $0 >= 0 }.forEach { close($0) } }
        guard input >= 0, output >= 0 else { throw DurableFile.failure("open", draft) }
        // Nobody else needs its name, and a process that is killed leaves none.
        unlink(draft)
        let tar = Command(
            "tar",
            [
                "--create", "--format=gnu", "--sort=name", "--hard-dereference", "--owner=0", "--group=0",
                "--numeric-owner", "--mode=ug-s", "--directory=\(path)", "--file=-", ".",
            ],
            deadline: .seconds(600)
        )
        let result = try await tar.result(reading: input, writing: output)
        // 1: something changed while it was read.
        guard result.status <= 1 else {
            throw HostFile.failed("can't be packed", path, Printable.text(result.errors))
        }
        let file = FileHandle(fileDescriptor: output, closeOnDealloc: false)
        try file.seek(toOffset: 0)
        let archive = try file.read(upToCount: CpVerb.largest + 1) ?? Data()
        guard archive.count <= CpVerb.largest else { throw HostFolder.tooLarge(path) }
        return (Array(archive), Printable.text(result.errors))
    }

    /// Where a folder of a guest is to be: `path`, or in it where that is a folder.
    ///
    /// - Throws: `cp.taken`, `cp.failed`.
    static func target(_ path: String, named origin: String) throws -> String {
        let path = URL(fileURLWithPath: path).standardizedFileURL.path
        let name = origin.split(separator: "/").last { $0 != "." }.map(String.init) ?? "root"
        let target = HostFile.isFolder(path) ? "\(path)/\(name)" : path
        guard name != "..", HostFile.isFolder(DurableFile.directory(of: target)) else {
            throw HostFile.failed("can't be made", target, nil, hint: "name a path in a folder that is there")
        }
        var status = stat()
        guard lstat(target, &status) != 0 else {
            throw KilnError(
                .cpTaken,
                "\(Name.quoted(target)) exists already; a folder is copied to where nothing is",
                hint: "name another path, or remove it",
                exit: .usage
            )
        }
        return target
    }

    /// Makes a folder of a guest's archive, and says what is in it; it appears when it is whole.
    ///
    /// - Throws: `cp.hostile`, `cp.failed`, `file.unwritable`.
    static func unpack(_ bytes: [UInt8], of id: MemberID, to target: String) throws -> String {
        let archive: TarArchive
        do {
            archive = try TarArchive(bytes, limit: CpVerb.largest)
        } catch {
            throw KilnError(
                .cpHostile,
                "nothing was copied: the archive that \(id) made of its folder \(error)",
                hint: "see what is in the guest's folder, and whether its tar is what it should be",
                exit: .aborted
            )
        }
        let draft = "\(DurableFile.directory(of: target))/.kiln-\(UUID().uuidString)"
        guard mkdir(draft, 0o700) == 0 else {
            throw HostFile.failed("can't be made", target, String(cString: strerror(errno)))
        }
        do {
            try archive.unpack(bytes, into: draft)
            // A folder is only ever renamed to nothing, or to an empty folder.
            guard rename(draft, target) == 0 else {
                throw HostFile.failed("can't be made", target, String(cString: strerror(errno)))
            }
        } catch {
            try? FileManager.default.removeItem(atPath: draft)
            throw error
        }
        return summary(archive.entries.count { !$0.path.isEmpty }, archive.size)
    }

    private static func summary(_ count: Int, _ size: Int) -> String {
        "\(count) entr\(count == 1 ? "y" : "ies") with \(size) bytes"
    }

    private static func odd(_ path: String, _ names: [String]) -> KilnError {
        let more = names.count > 5 ? " and \(names.count - 5) more" : ""
        return KilnError(
            .cpOddFiles,
            "\(Name.quoted(path)) holds what is no file, folder or link: "
                + names.prefix(5).map(Name.quoted).joined(separator: ", ") + more,
            hint: "copy the folders beside it one by one, or pack what you want: 'tar -c … | kiln cp -r - SERVER:PATH'",
            exit: .usage
        )
    }

    private static func tooLarge(_ path: String) -> KilnError {
        HostFile.failed(
            "is larger than \(ByteCount(bytes: UInt64(CpVerb.largest))), or has too many files",
            path,
            nil,
            hint: "copy its parts one by one, or make a volume of it: 'mke2fs -d', then 'kiln volume import'"
        )
    }
}

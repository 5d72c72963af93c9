import Foundation
import Glibc
import KilnModel
import KilnSystem

/// How the process that reads is run, and what its exit status means.
extension RootInspector {
    /// Runs it on a file system, with its output in a new file.
    func walk(_ raw: String, _ request: RootWalk.Request, to path: String) async throws {
        let output = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard output >= 0 else { throw failed("make", path) }
        defer { close(output) }
        do {
            try await walk(raw, request, output)
        } catch {
            unlink(path)
            throw error
        }
    }

    /// Runs it on a file system that it changes.
    func walk(_ raw: String, _ request: RootWalk.Request) async throws {
        let output = open("/dev/null", O_WRONLY | O_CLOEXEC)
        guard output >= 0 else { throw failed("open", "/dev/null") }
        defer { close(output) }
        try await walk(raw, request, output)
    }

    private func walk(_ raw: String, _ request: RootWalk.Request, _ output: Int32) async throws {
        let input = open(raw, (request.changesTimes ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NOFOLLOW)
        guard input >= 0 else { throw failed("open", raw) }
        defer { close(input) }
        let line = RootWalk.arguments(executable: executable, user: owner?.name, request)
        let command = Command(line[0], Array(line.dropFirst()), deadline: .seconds(600))
        do {
            let walk = try await command.result(reading: input, writing: output)
            switch walk.status {
            case 0: break
            case RootWalk.noFileSystem: throw noFileSystem(raw)
            case RootWalk.noFile: throw noFile(request)
            case RootWalk.tooLarge: throw tooLarge(request)
            case RootWalk.noRoom: throw noRoom(for: raw)
            case RootWalk.damaged: throw damaged(Printable.text(walk.errors))
            default: throw command.failure(walk)
            }
        } catch let failure as KilnError where [.toolFailed, .toolDeadline].contains(failure.code) {
            throw walkFailed([failure.message, failure.cause].compactMap { $0 }.joined(separator: ": "))
        }
    }

    /// Reads through an archive that was just written, so that nobody unpacks what leads out of it.
    static func requireArchive(_ path: String, of disk: String) throws {
        let file = try OpenFile(reading: path)
        var archive = TarStream(file.descriptor, named: path)
        do {
            while try archive.next() != nil {}
        } catch let refusal as TarArchive.Refusal {
            throw damaged("the archive of \(disk) \(refusal)")
        }
    }

    // MARK: - Errors

    func noFileSystem(_ disk: String) -> KilnError {
        KilnError(
            .driftNoFileSystem,
            "\(disk) holds no ext4 file system, neither from its start on nor in a partition",
            hint:
                "a root can be looked at where it is ext4: all of the disk, or a partition of a GPT or a primary one of an MBR"
        )
    }

    private func noFile(_ request: RootWalk.Request) -> KilnError {
        KilnError(
            .rootNoFile,
            "there is no regular file \(request) on the root",
            hint: "no link is followed; 'kiln drift --generation' names what lies there",
            exit: .usage
        )
    }

    private func tooLarge(_ request: RootWalk.Request) -> KilnError {
        KilnError(
            .rootTooLarge,
            "the file \(request) on the root is too large to be copied out of it",
            hint: "of a machine that runs, cut it into pieces first: 'kiln exec SERVER -- split …'",
            exit: .usage
        )
    }

    private func noRoom(for raw: String) -> KilnError {
        KilnError(
            .diskFull,
            "there is no space for what is read from the root file system \(raw)",
            hint: "free some space, for example with 'kiln gc', and run the command again",
            exit: .aborted
        )
    }

    private static func damaged(_ cause: String) -> KilnError {
        KilnError(
            .rootDamaged,
            "no archive can be made of a root file system that is damaged",
            hint: "look at it with 'e2fsck -fn', or make the image again",
            cause: cause,
            exit: .aborted
        )
    }

    private func damaged(_ cause: String) -> KilnError { RootInspector.damaged(cause) }

    private func walkFailed(_ cause: String) -> KilnError {
        KilnError(
            .driftWalkFailed,
            "a root file system could not be read",
            hint: "its file system may be damaged; 'kiln replace' gives a server a new one",
            cause: cause
        )
    }
}

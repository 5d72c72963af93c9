import Foundation
import KilnModel

/// What lies at a path in a guest, links followed.
public enum GuestPlace: String, Sendable {
    /// A folder.
    case folder
    /// A regular file.
    case file
    /// A device, a socket or a FIFO.
    case other
    /// Nothing, but in a folder that is there.
    case free
    /// Nothing, and no folder to hold it.
    case nowhere
}

/// Whole folders, as archives that the guest's own tar reads and writes; busybox has all that it takes.
extension LabEngine {
    /// How long a guest may take to pack or unpack a folder.
    private static let patience = Duration.seconds(600)

    /// What lies at a path in a server's guest.
    ///
    /// - Parameter now: whether not to wait until the guest that boots has mounted its volumes.
    public func place(_ path: String, on id: MemberID, now: Bool = false) async throws -> GuestPlace {
        let said = try await folderScript(["place", path], on: id, now: now).output
        return GuestPlace(rawValue: String(decoding: said, as: UTF8.self)) ?? .other
    }

    /// A tar archive of a folder in a server's guest, whose names begin in the folder; hostile bytes.
    ///
    /// - Parameter limit: the most bytes of the archive.
    /// - Returns: the archive, and what the guest's tar remarked, such as a file that changed meanwhile.
    /// - Throws: `cp.odd-files` where there is more than files, folders and links; `guest.too-large`; `cp.guest-failed`.
    public func pack(
        _ path: String,
        on id: MemberID,
        limit: Int,
        now: Bool = false
    ) async throws -> (archive: [UInt8], remarks: String) {
        let packed = try await folderScript(["pack", path, String(limit)], on: id, now: now)
        let work = String(decoding: packed.output, as: UTF8.self)
        return try await withoutLeaving(work, on: id) {
            guard let archive = try await read("\(work)/archive", on: id, limit: limit, now: true) else {
                throw guestFailed(id, "the archive of \(Name.quoted(path)) is gone", [])
            }
            return (archive, text(packed.errors))
        }
    }

    /// Unpacks a tar archive in a server's guest, as a folder that appears when it is whole.
    ///
    /// - Parameters:
    ///   - path: what the folder is to be; where that is a folder, it gets `name` in it.
    ///   - name: a single name, or nothing.
    /// - Returns: what it became.
    /// - Throws: `cp.taken` where there is something already, `cp.missing` where the folder above isn't there,
    ///   `cp.guest-failed`.
    public func unpack(
        _ archive: [UInt8],
        to path: String,
        named name: String,
        on id: MemberID,
        now: Bool = false
    ) async throws -> String {
        let unique = UUID().uuidString
        let begun = try await folderScript(["begin", path, name, unique], on: id, now: now)
        let work = String(decoding: begun.output, as: UTF8.self)
        return try await withoutLeaving(work, on: id) {
            try await write(archive, to: "\(work)/archive", on: id, now: true)
            let ended = try await folderScript(["end", path, name, unique], on: id, now: true)
            return String(decoding: ended.output, as: UTF8.self)
        }
    }

    // Also where the command is interrupted: an unstructured task does not inherit the cancellation.
    private func withoutLeaving<Result>(
        _ work: String,
        on id: MemberID,
        _ body: () async throws -> Result
    ) async throws -> Result {
        let engine = self
        func remove() async {
            _ = await Task { try? await engine.run(GuestCommand(["rm", "-rf", "--", work]), on: id, now: true) }.value
        }
        do {
            let result = try await body()
            await remove()
            return result
        } catch {
            await remove()
            throw error
        }
    }

    private func folderScript(_ arguments: [String], on id: MemberID, now: Bool) async throws -> GuestCommandResult {
        let line = ["/bin/sh", "-c", FolderScript.text, "kiln"] + arguments
        let result = try await run(GuestCommand(line, deadline: Self.patience), on: id, now: now)
        switch result.status {
        case 0: return result
        case FolderScript.odd: throw odd(id, result.output)
        case FolderScript.taken: throw taken(id, result.output)
        case FolderScript.nowhere: throw nowhere(id, result.output)
        case FolderScript.tooLarge: throw tooLarge(id, arguments[1])
        default:
            throw guestFailed(id, "the folder \(Name.quoted(arguments[1])) of \(id) can't be copied", result.errors)
        }
    }

    private func odd(_ id: MemberID, _ names: [UInt8]) -> KilnError {
        KilnError(
            .cpOddFiles,
            "the folder on \(id) holds what is no file, folder or link: \(list(names))",
            hint: "copy the folders beside it one by one, or pack what you want: 'kiln exec \(id) -- tar …'",
            exit: .usage
        )
    }

    private func taken(_ id: MemberID, _ path: [UInt8]) -> KilnError {
        KilnError(
            .cpTaken,
            "\(list(path)) is on \(id) already; a folder is copied to where nothing is",
            hint: "name another path, or remove it: 'kiln exec \(id) -- rm -r …'",
            exit: .usage
        )
    }

    private func nowhere(_ id: MemberID, _ path: [UInt8]) -> KilnError {
        KilnError(
            .cpMissing,
            "there is no folder \(list(path)) on \(id)",
            hint: "make it first: 'kiln exec \(id) -- mkdir -p …'",
            exit: .usage
        )
    }

    private func tooLarge(_ id: MemberID, _ path: String) -> KilnError {
        KilnError(
            .guestTooLarge,
            "the folder \(Name.quoted(path)) of \(id) is larger than is copied at once",
            hint: "copy its parts one by one, or put it on a volume: 'kiln volume export'",
            exit: .usage
        )
    }

    private func guestFailed(_ id: MemberID, _ what: String, _ errors: [UInt8]) -> KilnError {
        KilnError(
            .cpGuestFailed,
            what,
            hint: "the guest needs tar, find and mktemp, and space for a copy",
            cause: errors.isEmpty ? nil : text(errors),
            exit: .aborted
        )
    }

    private func list(_ names: [UInt8]) -> String {
        names.split(separator: 10).map { Name.quoted(String(decoding: $0, as: UTF8.self)) }.joined(separator: ", ")
    }

    private func text(_ bytes: [UInt8]) -> String {
        String(decoding: bytes.suffix(400), as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    }
}

/// What a guest does for a copy of a folder; any sh runs it.
enum FolderScript {
    static let (odd, taken, nowhere, tooLarge): (Int32, Int32, Int32, Int32) = (65, 66, 67, 69)

    /// Its first argument is what it does:
    /// `place PATH` says what is there; `pack PATH LIMIT` says in which folder it left the `archive`; `begin PATH NAME ID` says
    /// where the `archive` is to be put, and `end PATH NAME ID` makes a folder of it and says which.
    ///
    /// The folder for the archive lies beside the target, so that its last act is a rename, and is closed to others.
    static let text = #"""
        place() {
            if [ -d "$1" ]; then printf folder
            elif [ -f "$1" ]; then printf file
            elif [ -e "$1" ] || [ -L "$1" ]; then printf other
            elif [ -d "$(dirname -- "$1")" ]; then printf free
            else printf nowhere
            fi
        }
        target() {
            dest=$1
            while [ "$dest" != "${dest%/}" ]; do dest=${dest%/}; done
            [ ! -d "$dest/" ] || [ -z "$2" ] || dest=$dest/$2
            if [ -e "$dest/" ] || [ -e "$dest" ] || [ -L "$dest" ]; then printf '%s' "${dest:-/}"; exit 66; fi
            parent=${dest%/*}
            [ -d "$parent/" ] || { printf '%s' "$parent"; exit 67; }
            work=$parent/.kiln-cp-$3
        }
        pack() {
            odd=$(find "$1/." ! -type d ! -type f ! -type l | head -n 5) || exit 70
            [ -z "$odd" ] || { printf '%s' "$odd"; exit 65; }
            umask 077
            # The guest's own, by a name that nobody has. /tmp comes second: it is often memory, and the folder may be large.
            work=$(mktemp -d /var/tmp/kiln-cp.XXXXXX 2>/dev/null || mktemp -d /tmp/kiln-cp.XXXXXX) || exit 70
            # GNU's says by 1 that something changed meanwhile, others that something failed.
            case $(tar --version 2>/dev/null) in *GNU*) worst=1 ;; *) worst=0 ;; esac
            { tar -cf - -C "$1/" . 2>"$work/errors"; echo $? >"$work/status"; } | head -c $(($2 + 1)) >"$work/archive"
            if [ "$(wc -c <"$work/archive")" -gt "$2" ]; then rm -rf "$work"; exit 69; fi
            cat "$work/errors" >&2
            if [ "$(cat "$work/status")" -gt "$worst" ]; then rm -rf "$work"; exit 70; fi
            printf '%s' "$work"
        }
        action=$1; shift
        case $action in
        place) place "$1" ;;
        pack) pack "$1" "$2" ;;
        begin)
            target "$@"
            mkdir -m 700 "$work" && mkdir "$work/folder" || exit 70
            printf '%s' "$work" ;;
        end)
            target "$@"
            tar -xpof "$work/archive" -C "$work/folder" || exit 70
            mv "$work/folder" "$dest" || exit 70
            printf '%s' "$dest" ;;
        esac
        """#
}

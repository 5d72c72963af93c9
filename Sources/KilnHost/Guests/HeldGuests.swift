import Foundation
import Glibc
import KilnModel
import KilnSystem

/// Guests whose file systems are held back by SSH.
///
/// A frozen root may keep the guest from letting anybody in again. So the shell that froze it stays, and lets it go when it is
/// told so, when its connection ends (this process died), or by itself after a while.
actor HeldGuests {
    private struct Hold {
        let socket: Int32
        let end: Task<Command.Output, any Error>
        let remote: RemoteCommand
    }

    private var holds: [MachineID: Hold] = [:]

    /// Freezes what can be frozen on disks, the last mounted first, each disk once.
    func freeze(_ machine: MachineID, _ connection: SSHConnection, within deadline: Duration) async throws {
        guard holds[machine] == nil else { return }
        var ends: [Int32] = [-1, -1]
        let kind = Int32(SOCK_STREAM.rawValue) | SocketFlags.closeOnExec
        guard socketpair(AF_UNIX, kind, 0, &ends) == 0 else { throw DurableFile.failure("socketpair", "a socket") }
        let (own, other) = (ends[0], ends[1])
        let remote = RemoteCommand(["/bin/sh", "-c", Self.freezeScript], isRoot: connection.isRoot)
        let command = connection.command(remote.line, deadline: Self.longest + .seconds(30))
        let end = Task {
            defer { close(other) }
            return try await command.result(reading: other, writing: other)
        }
        let said = await BlockingWork.run { Self.line(from: own, within: deadline) }
        guard said == "frozen" else {
            // Its end is what lets go whatever is held back already.
            close(own)
            let errors = (try? await Self.outcome(of: end, within: deadline))?.errors ?? []
            throw SSHFailure.refusedFreeze(machine, "hold back its writes", Self.errors(remote, errors))
        }
        holds[machine] = Hold(socket: own, end: end, remote: remote)
    }

    /// Lets a guest go; whether this process held it.
    func thaw(_ machine: MachineID, within deadline: Duration) async throws -> Bool {
        guard let hold = holds.removeValue(forKey: machine) else { return false }
        defer { close(hold.socket) }
        shutdown(hold.socket, Int32(SHUT_WR))
        let errors: [UInt8]
        do {
            errors = try await Self.outcome(of: hold.end, within: deadline).errors
        } catch let late as DeadlineExceeded {
            throw GuestFailure.stillRunning(machine, late.limit)
        }
        guard case .ended(0, _)? = hold.remote.end(errors) else {
            throw SSHFailure.refusedFreeze(machine, "let its writes go on", Self.errors(hold.remote, errors))
        }
        return true
    }

    private static let longest = Duration.seconds(120)

    private static func outcome(
        of task: Task<Command.Output, any Error>,
        within deadline: Duration
    ) async throws -> Command.Output {
        try await withPatience(deadline, operation: "let a guest's writes go on") { try await task.value }
    }

    private static func errors(_ remote: RemoteCommand, _ bytes: [UInt8]) -> [UInt8] {
        if case .ended(_, let errors)? = remote.end(bytes) { errors } else { bytes }
    }

    /// The first line that comes, of 16 bytes at most; nothing where none comes in time.
    private static func line(from socket: Int32, within deadline: Duration) -> String? {
        let seconds = max(1, Int(deadline.components.seconds))
        var time = timeval(tv_sec: seconds, tv_usec: 0)
        setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
        var (bytes, byte): ([UInt8], UInt8) = ([], 0)
        while bytes.count < 16, recv(socket, &byte, 1, 0) == 1 {
            if byte == UInt8(ascii: "\n") { return String(decoding: bytes, as: UTF8.self) }
            bytes.append(byte)
        }
        return nil
    }

    // /proc/mounts writes blanks and the like as octal numbers, which printf knows with a zero before them.
    private static let places = #"""
        set -f
        place() { printf '%b' "$(printf '%s' "$1" | sed 's/\\/\\0/g')"; }
        points=; seen=' '
        while read -r device point kind _; do
            case $kind in ext2 | ext3 | ext4 | xfs | btrfs | f2fs) ;; *) continue ;; esac
            case $device in /dev/*) ;; *) continue ;; esac
            case $seen in *" $device "*) continue ;; esac
            seen="$seen$device "
            points="$point $points"
        done </proc/mounts

        """#

    private static let freezeScript =
        places + #"""
            frozen=; failed=0
            thaw() {
                for point in $frozen; do fsfreeze --unfreeze "$(place "$point")" || failed=1; done
                frozen=
            }
            trap thaw EXIT
            trap 'exit 1' HUP INT TERM PIPE
            for point in $points; do
                fsfreeze --freeze "$(place "$point")" || exit 1
                frozen="$point $frozen"
            done
            (sleep \#(longest.components.seconds); kill -TERM $$) </dev/null >/dev/null 2>&1 &
            echo frozen
            read -r _
            kill $!
            thaw
            exit $failed
            """#

    /// Lets everything go; what is not held back is no mistake.
    static let thawScript =
        places + #"""
            for point in $points; do fsfreeze --unfreeze "$(place "$point")" 2>/dev/null; done
            :
            """#
}

/// The program that writes a ledger in a guest: a POSIX shell script, so that it runs in every image.
///
/// A record is acknowledged after `sync -d` (fdatasync) of the file has returned. The script may be killed at any
/// instant. It needs `sha256sum`, `sed`, `sort`, `sync -d` and `tail`, which busybox and coreutils have; a lock file is not
/// to be had, because Debian's busybox has no `flock`.
public enum LedgerWriter {
    /// The virtio-serial port that carries acknowledgements to the host.
    public static let port = "/dev/virtio-ports/kiln.ledger"
    /// Where the writer keeps its process id; gone after a restart of the guest.
    public static let state = "/run/kiln-ledger"

    /// Program and arguments that write to `path` until they are stopped or killed.
    ///
    /// - Parameter pause: seconds between two records, as `sleep` takes them; nothing means as fast as the disk allows.
    ///
    /// Exit statuses: 0 stopped, 3 the folder of `path` is missing, 4 `port` is missing or taken, 5 another writer runs,
    /// 6 the disk failed. A full disk is no end: the writer waits for room.
    public static func command(
        path: String,
        port: String = port,
        state: String = state,
        pause: String = ""
    ) -> [String] {
        ["/bin/sh", "-c", script, "kiln-ledger", path, port, state, pause]
    }

    /// Program and arguments that stop the writer and return when it is gone, at once where none runs.
    ///
    /// Exit status 1: it did not end within ten seconds.
    public static func stopCommand(state: String = state) -> [String] {
        ["/bin/sh", "-c", stopScript, "kiln-ledger-stop", state]
    }

    static let script = #"""
        path=$1 port=$2 state=$3 pause=$4
        fail() { echo "kiln-ledger: $2" >&2; exit "$1"; }
        umask 077
        [ -d "${path%/*}/" ] || fail 3 "no folder ${path%/*}"
        [ -e "$port" ] || fail 4 "no port $port"
        mkdir -p "$state" || fail 6 "can't make $state"
        # The file means nothing by itself: only a living writer holds it.
        if ! (set -C; echo $$ >"$state/pid") 2>/dev/null; then
            read -r other <"$state/pid"
            grep -q kiln-ledger "/proc/${other:-none}/cmdline" 2>/dev/null && fail 5 "another writer runs"
            echo $$ >"$state/pid" || fail 6 "can't write $state/pid"
        fi
        rm -f "$state/stop"
        exec 3>"$port" || fail 4 "can't open $port"
        # Never the same payload twice, so that records of two runs can't be taken for each other.
        read -r run </proc/sys/kernel/random/uuid || fail 6 "no random numbers"

        told=
        wait_for_room() {
            [ -n "$told" ] || echo "kiln-ledger: can't write $path, waiting" >&2
            told=yes
            # Without the volume, which a sleeper would keep from being unmounted.
            sleep 1 3>&- 4>&-
        }
        runs() { [ ! -e "$state/stop" ] && read -r owner <"$state/pid" && [ "$owner" = $$ ]; }
        until { : >>"$path"; } 2>/dev/null; do
            runs || exit 0
            wait_for_room
        done
        # Held open, and always named through it: after an unmount the same path is a file of the root disk.
        exec 4>>"$path"
        file=/proc/self/fd/4

        # The highest number that the lines name. A torn record has used its number up too.
        numbers() { sed -n 's/^R \([1-9][0-9]\{0,14\}\) .*$/\1/p' | sort -n | tail -n 1; }
        # Ends a torn line, and finds where to go on.
        resume() {
            sync "$file" "${path%/*}" || return 1
            if [ -s "$file" ] && [ "$(tail -c 1 "$file" | wc -l)" -eq 0 ]; then echo >&4 || return 1; fi
            last=$(tail -n 100 "$file" | numbers)
            [ -n "$last" ] || last=$(numbers <"$file")
            last=${last:-0}
        }

        while runs; do
            resume 2>/dev/null || { wait_for_room; continue; }
            while runs; do
                number=$((last + 1))
                sum=$(printf '%s %s' "$number" "$run" | sha256sum) || break
                sum=${sum%"${sum#????????}"}
                printf 'R %s %s %s\n' "$number" "$run" "$sum" >&4 || { wait_for_room; break; }
                # After a failed sync nobody knows what the disk has: a second one may succeed without having written.
                sync -d "$file" || fail 6 "can't sync $path"
                printf '%s %s\n' "$number" "$sum" >&3 || fail 4 "can't write to $port"
                last=$number
                # Without the volume and the port, as above.
                [ -z "$pause" ] || sleep "$pause" 3>&- 4>&-
            done
        done
        """#

    static let stopScript = #"""
        state=$1
        read -r pid 2>/dev/null <"$state/pid" || exit 0
        runs() { grep -q kiln-ledger "/proc/$pid/cmdline" 2>/dev/null; }
        : >"$state/stop"
        # A writer that waits for the host does not look at the file.
        runs && kill "$pid"
        tries=0
        while runs; do
            [ "$tries" -lt 100 ] || { echo "kiln-ledger: process $pid does not end" >&2; exit 1; }
            tries=$((tries + 1))
            sleep 0.1
        done
        """#
}

/// What a guest does for a command that may read and write much; any sh runs it, and it needs dd, cat, rm and sleep.
///
/// The agent reads files, and can't read from a pipe. So what the command writes goes through files of a private folder, in
/// pieces of 1 MiB at most, of which two of each stream are there at a time: a flood fills no file system of the guest.
enum DialogueScript {
    /// The guest has no such program.
    static let absent = 66

    /// Makes the folder, and says below which other folder it is.
    ///
    /// Its arguments are a name that nobody knows, and the program.
    static let begin = #"""
        umask 077
        command -v -- "$2" >/dev/null 2>&1 || exit 66
        for needed in dd rm sleep cat; do command -v "$needed" >/dev/null || exit 70; done
        for place in /run /tmp; do
            dir=$place/kiln-exec-$1
            mkdir "$dir" 2>/dev/null || continue
            if : >"$dir/state" && : >"$dir/o.0" && : >"$dir/e.0"; then printf '%s' "$place"; exit 0; fi
            rm -rf "$dir"
        done
        exit 70
        """#

    /// Runs the command.
    ///
    /// Its arguments are the folder, whether the command reads anything (`yes`), for how many tenths of a second it may take all
    /// in all, and the command.
    ///
    /// - What the command writes is in `o.0`, `o.1`, … and `e.0`, `e.1`, …; a piece is whole once the next is there. A reader makes
    ///   `o.N.ok` when it has read piece N.
    /// - What it reads is put into `i.0`, `i.1`, …, each whole once there is `i.N.ok`; an empty one is the end.
    /// - `state` gets a letter for each piece: `o` and `e` when the next was begun, `i` when one was read. `L` says that
    ///   something got lost, and `xSTATUS` that the command ended and nothing more will come.
    ///
    /// Where the folder is removed, the command goes on and what it writes is dropped. Where nobody removes it, because Kiln died,
    /// the last lines do.
    static let run = #"""
        dir=$1; fed=$2; patience=$3; shift 3
        nap() { sleep 0.1 2>/dev/null || sleep 1; }
        tell() { { printf '%s' "$1" >>"$dir/state"; } 2>/dev/null; }
        pump() {
            piece=0
            while said=$({ LC_ALL=C dd bs=8192 count=128 >"$dir/$1.$piece"; } 2>&1); do
                said=${said%% records in*}
                said=${said##*[!0-9+]}
                case $said in [0-9]*+*[0-9]) ;; *) break ;; esac
                [ $((${said%+*} + ${said#*+})) -eq 128 ] || return 0
                piece=$((piece + 1)); naps=0
                { : >"$dir/$1.$piece"; } 2>/dev/null || break
                tell "$1"
                [ "$piece" -ge 2 ] || continue
                until [ -e "$dir/$1.$((piece - 2)).ok" ]; do
                    [ -d "$dir" ] && [ "$naps" -lt "$patience" ] || break 2
                    naps=$((naps + 1)); nap
                done
                rm -f "$dir/$1.$((piece - 2))" "$dir/$1.$((piece - 2)).ok"
            done
            tell L
            exec cat >/dev/null
        }
        feed() {
            piece=0
            while :; do
                until [ -e "$dir/i.$piece.ok" ]; do
                    [ -d "$dir" ] && [ ! -e "$dir/status" ] || return 0
                    nap
                done
                [ -s "$dir/i.$piece" ] || return 0
                cat "$dir/i.$piece" || return 0
                rm -f "$dir/i.$piece" "$dir/i.$piece.ok"
                tell i
                piece=$((piece + 1))
            done
        }
        call() {
            # A shell says of a program that a signal ended that it did, which is nobody's output.
            { (exec 2>&4 4>&-; exec "$@"); ended=$?; } 4>&2 2>/dev/null
            { echo "$ended" >"$dir/status"; } 2>/dev/null
        }
        { {
            if [ "$fed" = yes ]; then feed 2>/dev/null | call "$@"; else call "$@" </dev/null; fi
        } 2>&1 >&3 3>&- | pump e >/dev/null 3>&-; } 3>&1 | pump o
        { read -r status <"$dir/status"; } 2>/dev/null || status=1
        tell "x$status
        "
        waited=0
        while [ -d "$dir" ] && [ "$waited" -lt "$((patience / 10))" ]; do waited=$((waited + 1)); sleep 1; done
        rm -rf "$dir"
        exit "$status"
        """#
}

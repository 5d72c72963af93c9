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
        # What only the shell itself can do is no program. Of what both can it names its own.
        has() (
            case $(command -v -- "$1" 2>/dev/null) in */*) exit 0 ;; '') exit 1 ;; esac
            IFS=:
            for place in $PATH; do [ -f "$place/$1" ] && [ -x "$place/$1" ] && exit 0; done
            exit 1
        )
        # One byte, so that there is room for those that take its place: a full file system still makes empty files.
        mark() { { printf . >"$1"; } 2>/dev/null && [ -s "$1" ]; }
        has "$2" || exit 66
        for needed in dd rm sleep cat; do command -v "$needed" >/dev/null || exit 70; done
        for place in /run /tmp; do
            dir=$place/kiln-exec-$1
            mkdir "$dir" 2>/dev/null || continue
            if mark "$dir/state" && mark "$dir/status" && mark "$dir/pid" && : >"$dir/o.0" && : >"$dir/e.0"; then
                printf '%s' "$place"
                exit 0
            fi
            rm -rf "$dir"
        done
        exit 70
        """#

    /// Runs the command.
    ///
    /// Its arguments are the folder, whether the command reads anything (`yes`), for how many tenths of a second it waits for a
    /// Kiln that gives no sign of life, and the command.
    ///
    /// - What the command writes is in `o.0`, `o.1`, … and `e.0`, `e.1`, …; a piece is whole once the next is there. A reader makes
    ///   `o.N.ok` when it has read piece N.
    /// - What it reads is put into `i.0`, `i.1`, …, each whole once there is `i.N.ok`; an empty one is the end.
    /// - `state` gets a letter for each piece: `o` and `e` when the next was begun, `i` when one was read. `L` says that
    ///   something got lost, and `xSTATUS` that the command ended and nothing more will come.
    /// - `here` changes now and then for as long as Kiln reads, however slowly.
    /// - `status` and `pid` hold a line once they are known, and a dot before.
    ///
    /// Where the folder is removed, the command goes on and what it writes is dropped. One that still reads is asked to end
    /// instead: it must not take what it has got for all. Where nobody removes the folder, because Kiln died, a process that is
    /// left behind does; the shell itself ends with the command, so that the agent can be asked for it.
    static let run = #"""
        dir=$1; fed=$2; patience=$3; shift 3
        nap() { sleep 0.1 2>/dev/null || sleep 1; }
        tell() { { printf '%s' "$1" >>"$dir/state"; } 2>/dev/null; }
        has_ended() { { read -r status <"$dir/status"; } 2>/dev/null; }
        patient() {
            now=
            { read -r now <"$dir/here"; } 2>/dev/null
            [ "$now" = "$beat" ] || { beat=$now; naps=0; }
            [ -d "$dir" ] && [ "$naps" -lt "$patience" ]
        }
        pump() {
            piece=0; beat=
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
                    patient || break 2
                    naps=$((naps + 1)); nap
                done
                rm -f "$dir/$1.$((piece - 2))" "$dir/$1.$((piece - 2)).ok"
            done
            tell L
            exec cat >/dev/null
        }
        # Before its input ends, which would look like the end of all that there was.
        cut() { has_ended || kill "$pid" 2>/dev/null; }
        feed() {
            piece=0; beat=; naps=0
            until { read -r pid <"$dir/pid"; } 2>/dev/null; do
                ! has_ended && patient || return 0
                naps=$((naps + 1)); nap
            done
            while :; do
                naps=0
                until [ -e "$dir/i.$piece.ok" ]; do
                    has_ended && return 0
                    patient || { cut; return 0; }
                    naps=$((naps + 1)); nap
                done
                # Only one that is there and empty is the end.
                cat "$dir/i.$piece" || { [ -e "$dir/i.$piece" ] || cut; return 0; }
                [ -s "$dir/i.$piece" ] || { [ -e "$dir/i.$piece" ] || cut; return 0; }
                rm -f "$dir/i.$piece" "$dir/i.$piece.ok"
                tell i
                piece=$((piece + 1))
            done
        }
        call() {
            # The shell that says its number becomes the command.
            become='{ echo "$$" 1<>"$1/pid"; } 2>/dev/null || exit 126; shift; exec "$@"'
            [ "$fed" = yes ] && set -- /bin/sh -c "$become" kiln "$dir" "$@"
            # A shell says of a program that a signal ended that it did, which is nobody's output.
            { (exec 2>&4 4>&-; exec "$@"); ended=$?; } 4>&2 2>/dev/null
            # Over what is there: a file that is emptied first has no room any more where others filled it.
            { echo "$ended" 1<>"$dir/status"; } 2>/dev/null
        }
        { {
            if [ "$fed" = yes ]; then feed 2>/dev/null | call "$@"; else call "$@" </dev/null; fi
        } 2>&1 >&3 3>&- | pump e >/dev/null 3>&-; } 3>&1 | pump o
        has_ended || status=1
        tell "x$status
        "
        {
            beat=; naps=0
            while patient; do naps=$((naps + 10)); sleep 1; done
            rm -rf "$dir"
        } </dev/null >/dev/null 2>&1 &
        exit "$status"
        """#
}

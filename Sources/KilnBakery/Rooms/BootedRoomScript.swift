/// What a machine that a bake works in is asked to do; any sh runs it, and busybox has all that it takes.
///
/// A program of a step is started apart from whoever asks for it: its packages may well restart the guest's agent or its SSH
/// server. Where there is systemd, it is in a scope of its own, so that services that it starts are not taken for its own
/// processes, which end with it.
enum BootedRoomScript {
    /// Raised when a machine begins to be cleaned otherwise.
    static let version = "1"

    /// Its first arguments are the room's folder, the link that leads there, and what is asked for:
    /// `open`, `unpack NAME`, `start NUMBER`, `told OFFSET BYTES`, `end`, `online`, `alive`.
    static let text = #"""
        place=$1 link=$2 action=$3
        shift 3
        run=$place/run
        case $action in
        open)
            umask 022
            rm -rf "$place" && mkdir -p "$place" && mkdir -m 0700 "$run" && rm -rf "$link" && ln -s "$place" "$link" ;;
        unpack)
            umask 022
            rm -rf "$place/$1" && mkdir "$place/$1" && tar -C "$place/$1" -xf "$run/$1.tar" && rm -f "$run/$1.tar" ;;
        start)
            rm -f "$run/status" "$run/pid" "$run/said"
            : > "$run/said" || exit 1
            apart=
            if [ -d /run/systemd/system ] && command -v systemd-run > /dev/null 2>&1; then
                apart="systemd-run --quiet --scope --collect --unit=kiln-room-$1"
            fi
            echo "kiln-room-$1.scope" > "$run/unit"
            {
                $apart setsid /bin/sh -c '
                    place=$1 link=$2
                    run=$place/run
                    echo $$ > "$run/pid"
                    umask 022
                    cd "$link/recipe" && /bin/sh "$run/program" > "$run/said" 2>&1 < /dev/null
                    status=$?
                    group=$(sed -n "s/^0:://p" /proc/self/cgroup 2> /dev/null)
                    case $group in
                    *"/$(cat "$run/unit")")
                        for process in $(cat "/sys/fs/cgroup$group/cgroup.procs"); do
                            [ "$process" != $$ ] && [ -r "/proc/$process/cmdline" ] || continue
                            said=$(tr "\000" " " < "/proc/$process/cmdline" 2> /dev/null)
                            [ -z "$said" ] || echo "the room: left running, and ended: $said" >> "$run/said"
                            kill -9 "$process" 2> /dev/null
                        done ;;
                    esac
                    echo "$status" > "$run/status.new" && mv "$run/status.new" "$run/status"
                ' kiln "$place" "$link"
                # Nothing may have been started at all.
                [ -e "$run/pid" ] || echo 121 > "$run/status"
            } > "$run/apart" 2>&1 < /dev/null & ;;
        told)
            # The status first: what is said before it is there by then.
            cat "$run/status" 2> /dev/null || echo running
            tail -c "+$(($1 + 1))" "$run/said" 2> /dev/null | head -c "$2" ;;
        end)
            ! command -v systemctl > /dev/null 2>&1 || systemctl kill --signal=KILL "$(cat "$run/unit")" 2> /dev/null
            kill -9 "-$(cat "$run/pid")" 2> /dev/null
            : ;;
        online)
            # A cable that was plugged in gets an address within some seconds.
            count=0
            while [ "$count" -lt 60 ]; do
                while read -r _ target _; do [ "$target" != 00000000 ] || exit 0; done < /proc/net/route
                sleep 1
                count=$((count + 1))
            done
            exit 1 ;;
        alive) ;;
        esac
        """#

    /// Cleans the machine, after which nothing can be written to its disk any more: services that shut down would write
    /// seeds, leases and logs once more.
    ///
    /// Arguments: the image's name and version, `booted`, the room's folder, the link, and the key of an SSH user who came with the
    /// machine's seed, which may be empty.
    static let cleaning =
        #"""
        if command -v cloud-init > /dev/null 2>&1 && [ -d /var/lib/cloud ]; then
            cloud-init clean --logs --machine-id > /dev/null 2>&1 || cloud-init clean --logs > /dev/null 2>&1 || :
        fi

        """# + Cleaning.script + #"""

            rm -rf "$4" "$5"
            rm -f /etc/network/interfaces.d/50-cloud-init
            for keys in /root/.ssh/authorized_keys /home/*/.ssh/authorized_keys; do
                [ -n "$6" ] && [ -f "$keys" ] && [ ! -L "$keys" ] || continue
                grep -v -F -e "$6" "$keys" > "$keys.kept" || :
                if [ -s "$keys.kept" ]; then cat "$keys.kept" > "$keys"; else rm -f "$keys"; fi
                rm -f "$keys.kept"
            done
            [ ! -d /var/log/journal ] || journalctl --relinquish-var > /dev/null 2>&1 || :
            rm -rf /var/log/journal/*
            sync
            echo u > /proc/sysrq-trigger
            count=0
            while [ "$count" -lt 60 ]; do
                # As the first process sees it: an agent may have a view of its own.
                state=
                while read -r _ where _ options _; do [ "$where" != / ] || state=$options; done < /proc/1/mounts
                case $state in ro | ro,*) exit 0 ;; esac
                sleep 1
                count=$((count + 1))
            done
            echo "the root can't be made read-only" >&2
            exit 75
            """#
}

/// What a room does: it is furnished, a program runs in it, and what that left running is told.
///
/// Three shells take part, as root of the room's namespaces. The first furnishes the room and stays outside. The second is the first
/// process of the room: it makes the tree the root of its mounts, and becomes a shell of the tree once the first has unmounted this host
/// there. So no process that a program can see knows anything but the tree. Where this host's root can't be left so, it is only the
/// root of the program, and that is said.
enum RoomScript {
    /// Variables that every program of a bake has, besides those of any room: no systemd runs here.
    static let variables = RoomPlaces.variables.merging(["SYSTEMD_OFFLINE": "1"]) { $1 }

    /// The arguments of a shell that does all of it with the host's programs.
    ///
    /// - Parameter arguments: the tree, the recipe's files, `network` or `alone`, how many folders are lent, each with its name, and
    ///   the program.
    static func shell(_ arguments: [String]) -> [String] { ["-c", outside, "room", inside, last] + arguments }

    /// The status where the host does not let the room be furnished.
    static let refused: Int32 = 121
    /// The status where the tree does not.
    static let unfit: Int32 = 122
    /// What is said last before the room ends with one of these begins with it: a program may end with the same.
    static let refusal = "the room refuses: "

    private static let outside = """
        refuse() { echo "the room refuses: $*" >&2; exit 121; }
        unfit() { echo "the room refuses: $*" >&2; exit 122; }
        inside=$1 last=$2 root=$3 recipe=$4 network=$5 loans=$6
        shift 6
        # It is killed with all of them.
        [ $$ -eq 1 ] || refuse "it has no processes of its own"
        hostname localhost 2> /dev/null
        umask 022
        # Out here a link of the tree that begins at / leads to this host.
        real=$(readlink -m -- "$root")
        leads_out() { # PATH
            case $(readlink -m -- "$root/$1") in "$real"/*) return 1 ;; esac
        }
        for folder in proc sys dev run tmp etc usr usr/sbin; do
            ! leads_out "$folder" || unfit "/$folder leads out of the tree by a link"
            [ -d "$root/$folder" ] || mkdir -p "$root/$folder" || refuse "$folder can't be made"
        done
        mount --rbind "$root" "$root" || refuse "the tree can't be bound"
        # A network of one's own has a /sys of its own.
        { [ "$network" = alone ] && mount -t sysfs -o ro,nosuid,nodev,noexec sysfs "$root/sys" 2> /dev/null; } ||
            { mount --rbind /sys "$root/sys" && mount -o remount,bind,ro "$root/sys" 2> /dev/null; }
        mount -t tmpfs -o mode=0755,nosuid tmpfs "$root/dev" || refuse "there can be no /dev"
        for device in null zero full random urandom tty; do
            : > "$root/dev/$device" && mount --bind "/dev/$device" "$root/dev/$device" || refuse "/dev/$device can't be bound"
        done
        mkdir -p "$root/dev/shm" "$root/dev/pts"
        mount -t devpts -o newinstance,ptmxmode=0666,mode=0620 devpts "$root/dev/pts" 2> /dev/null &&
            ln -s pts/ptmx "$root/dev/ptmx"
        ln -s /proc/self/fd "$root/dev/fd"
        ln -s /proc/self/fd/0 "$root/dev/stdin"
        ln -s /proc/self/fd/1 "$root/dev/stdout"
        ln -s /proc/self/fd/2 "$root/dev/stderr"
        mount -t tmpfs -o mode=0755,nosuid,nodev tmpfs "$root/run" || refuse "there can be no /run"
        mount -t tmpfs -o mode=1777,nosuid,nodev tmpfs "$root/tmp" || refuse "there can be no /tmp"
        mkdir -p "$root/run/lock" "$root/run/kiln/recipe" "$root/run/kiln/host"
        # Files that only the room has: each is bound over one of the tree, which is made where it is absent and removed again.
        made=
        cover() { # FILE PATH
            [ ! -L "$root$2" ] || return 0
            [ -e "$root$2" ] || { : > "$root$2" && made="$made $2"; }
            mount --bind "$1" "$root$2"
        }
        printf '#!/bin/sh\\nexit 101\\n' > "$root/run/kiln/policy-rc.d"
        chmod 0755 "$root/run/kiln/policy-rc.d"
        cover "$root/run/kiln/policy-rc.d" /usr/sbin/policy-rc.d
        if [ "$network" = network ]; then
            cat /etc/resolv.conf > "$root/run/kiln/resolv.conf" 2> /dev/null || : > "$root/run/kiln/resolv.conf"
            # systemd-resolved's link leads to a place that is the room's own, in which nothing but files of the room lies yet.
            target=$(readlink "$root/etc/resolv.conf")
            case $target in
            */../* | */..) echo "the room: /etc/resolv.conf leads to $target, where none is put" ;;
            /run/* | ../run/*)
                file=$root/run/${target#*run/}
                mkdir -p "${file%/*}" && cp "$root/run/kiln/resolv.conf" "$file"
                ;;
            *) cover "$root/run/kiln/resolv.conf" /etc/resolv.conf ;;
            esac
        else
            ip link set lo up 2> /dev/null
        fi
        mount --bind "$recipe" "$root/run/kiln/recipe" && mount -o remount,bind,ro "$root/run/kiln/recipe" ||
            refuse "the recipe's files can't be bound"
        while [ "$loans" -gt 0 ]; do
            mkdir -p "$root/run/kiln/$2"
            mount --bind "$1" "$root/run/kiln/$2" || refuse "$1 can't be bound"
            shift 2
            loans=$((loans - 1))
        done
        # Does from out here what the room's first process asks for; its number is the one of the /proc out here.
        said=$root/run/kiln/said heard=$root/run/kiln/heard
        watch() {
            read -r first host || return
            if [ "$host" != stays ]; then
                umount -N "$first" -l /run/kiln/host && umount -N "$first" -l /proc || return
            fi
            rmdir "$root/run/kiln/host" && rm -f "$said" "$heard" && echo go >&8
            read -r word || return
            own=$(readlink "/proc/$first/ns/pid")
            for process in /proc/[0-9]*; do
                [ "$process" != "/proc/$first" ] && [ "$(readlink "$process/ns/pid" 2> /dev/null)" = "$own" ] || continue
                line=$(tr '\\0' ' ' < "$process/cmdline" 2> /dev/null)
                [ -z "$line" ] || echo "the room: left running, and ended: $line"
            done
            echo go >&8
        }
        mkfifo "$said" "$heard" || refuse "its processes can't be watched"
        watch < "$said" 8> "$heard" &
        # Whatever still runs when its first process ends, ends with it.
        unshare --mount --propagation private --pid --fork --kill-child -- \\
            /bin/sh -c "$inside" room "$last" "$root" "$@" 7> "$said" 8< "$heard"
        status=$?
        wait
        for path in $made; do
            umount -l "$root$path"
            # The program may have put a link in the place of a folder.
            leads_out "${path%/*}" || rm -f "$root$path"
        done
        exit "$status"
        """

    private static let inside = """
        refuse() { echo "the room refuses: $*" >&2; exit 121; }
        last=$1 root=$2
        shift 2
        read -r number rest < /proc/self/stat
        if mount -t proc -o nosuid,nodev,noexec proc "$root/proc" 2> /dev/null; then
            # What is set there is this host's.
            for path in sys sysrq-trigger; do
                [ -e "$root/proc/$path" ] || continue
                mount --bind "$root/proc/$path" "$root/proc/$path" && mount -o remount,bind,ro "$root/proc/$path" ||
                    refuse "/proc/$path can't be closed"
            done
        else
            # A container may refuse one to a user's namespace. What is set in the one out here is closed to it; what is seen there is
            # also the processes out here.
            mount --rbind /proc "$root/proc" || refuse "there can be no /proc"
        fi
        # umount reads there what is mounted here; it goes as well.
        mount --rbind /proc "$root/proc" || refuse "/proc can't be bound"
        cd "$root" || refuse "the tree can't be entered"
        if why=$(pivot_root . run/kiln/host 2>&1); then
            cd / || refuse "the tree can't be entered"
            # From here on this shell finds only programs of the tree.
            echo "$number" >&7
            read -r word <&8 && [ "$word" = go ] || refuse "this host can't be unmounted there"
            exec /bin/sh -c "$last" kiln "$@"
        fi
        # No mount can take the place of a root that is none, as that of a chroot, nor of the kernel's first one.
        echo "the room: $why; this host stays mounted below the tree, and a program that means to can reach it"
        umount -l "$root/proc" && echo "$number stays" >&7 && read -r word <&8 && [ "$word" = go ] ||
            refuse "the tree can't be the root of its programs"
        exec chroot . /bin/sh -c "$last" kiln "$@"
        """

    private static let last = """
        (cd /run/kiln/recipe && exec "$@" 7>&- 8<&-)
        status=$?
        echo ended >&7
        read -r word <&8
        exit "$status"
        """
}

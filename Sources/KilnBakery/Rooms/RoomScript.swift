/// What the first process of a room does: it furnishes the room, runs a program in it, and tells what that left running.
///
/// It runs with the host's programs, as root of its namespaces. Arguments: the tree, the recipe's files, `network` or `alone`,
/// how many folders are lent, each with its name, and the program.
enum RoomScript {
    /// Variables that every program of a bake has, besides those of any room: no systemd runs here.
    static let variables = RoomPlaces.variables.merging(["SYSTEMD_OFFLINE": "1"]) { $1 }

    static let text = """
        refuse() { echo "the room: $*" >&2; exit 121; }
        root=$1 recipe=$2 network=$3 loans=$4
        shift 4
        # What follows ends every process that it can see.
        [ $$ -eq 1 ] || refuse "it has no processes of its own"
        hostname localhost 2> /dev/null
        umask 022
        for folder in proc sys dev run tmp etc usr/sbin; do
            [ -d "$root/$folder" ] || mkdir -p "$root/$folder" || refuse "$folder can't be made"
        done
        mount --rbind "$root" "$root" || refuse "the tree can't be bound"
        mount -t proc -o nosuid,nodev,noexec proc "$root/proc" 2> /dev/null || mount --rbind /proc "$root/proc" ||
            refuse "there can be no /proc"
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
        mkdir -p "$root/run/lock" "$root/run/kiln/recipe"
        mount --bind "$recipe" "$root/run/kiln/recipe" && mount -o remount,bind,ro "$root/run/kiln/recipe" ||
            refuse "the recipe's files can't be bound"
        while [ "$loans" -gt 0 ]; do
            mkdir -p "$root/run/kiln/$2"
            mount --bind "$1" "$root/run/kiln/$2" || refuse "$1 can't be bound"
            shift 2
            loans=$((loans - 1))
        done
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
            # systemd-resolved's link leads to a place that is the room's own.
            target=$(readlink "$root/etc/resolv.conf")
            case $target in
            /run/* | ../run/*)
                file=$root/run/${target#*run/}
                mkdir -p "${file%/*}" && cp "$root/run/kiln/resolv.conf" "$file"
                ;;
            *) cover "$root/run/kiln/resolv.conf" /etc/resolv.conf ;;
            esac
        else
            ip link set lo up 2> /dev/null
        fi
        (cd "$root/run/kiln/recipe" && exec chroot "$root" /bin/sh -c 'cd /run/kiln/recipe && exec "$@"' kiln "$@")
        status=$?
        for process in /proc/[0-9]*; do
            number=${process#/proc/}
            [ "$number" -gt 1 ] 2> /dev/null && [ "$(readlink "$process/root" 2> /dev/null)" = "$root" ] &&
                echo "the room: left running, and ended: $(tr '\\0' ' ' < "$process/cmdline" 2> /dev/null)"
        done
        # Whatever still ran would hold what is unmounted next.
        kill -9 -1 2> /dev/null
        for path in $made; do
            umount -l "$root$path"
            rm -f "$root$path"
        done
        exit "$status"
        """
}

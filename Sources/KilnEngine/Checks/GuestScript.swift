/// What a guest tells of itself; any sh runs it, and busybox has all that it takes.
///
/// Nothing of a check becomes a part of it: paths and names are its arguments.
enum GuestScript {
    /// Exit statuses: there is no such thing; the guest has not what would tell it.
    static let (missing, untold): (Int32, Int32) = (66, 69)

    /// A shell's function that tells the UUID of the ext4 file system on a disk, as 16 bytes.
    ///
    /// https://docs.kernel.org/filesystems/ext4/super.html: the superblock begins at 1024; its magic number is at 0x38, the
    /// UUID at 0x68.
    static let ext4UUID = #"""
        ext4_uuid() {
            magic=$(od -An -v -tx1 -j1080 -N2 "$1") || exit 70
            [ "$(echo $magic)" = '53 ef' ] || exit 69
            od -An -v -tx1 -j1128 -N16 "$1" || exit 70
        }
        """#

    /// Its first argument is what is asked for:
    /// `entry PATH`, `content PATH BYTES`, `digest PATH`, `service UNIT`, `failed-units`, `sockets tcp|udp`, `processes`,
    /// `mounts`, `identity`, `file-system SERIAL`, `tree PATH SERIAL SECONDS`.
    ///
    /// A tree is what lies below the mount point of a volume, and on no other: the sum over a sorted line for each regular file,
    /// with the sum of its content, and for each symbolic link, with where it leads. Coreutils and busybox come to the same sum,
    /// but where a name has a line break in it.
    static let text = #"""
        \#(GuestMount.lookAt)
        \#(ext4UUID)
        systemd() {
            [ -d /run/systemd/system ] && command -v systemctl >/dev/null 2>&1 || exit 69
        }
        sum() { sha256sum | cut -c 1-64; }
        fact() {
            name=$1; shift
            for file; do
                if [ -f "$file" ]; then echo "$name $(sum <"$file") $file"; fi
            done
        }
        action=$1; shift
        case $action in
        entry)
            [ -e "$1" ] || [ -L "$1" ] || exit 66
            stat -c '%f %u %g %s' "$1" || exit 70
            if [ -L "$1" ]; then readlink "$1" || exit 70; fi ;;
        content)
            [ -f "$1" ] || exit 66
            head -c "$2" <"$1" ;;
        digest)
            [ -f "$1" ] || exit 66
            sum <"$1" ;;
        service)
            systemd
            systemctl show --property=LoadState,ActiveState,UnitFileState -- "$1" ;;
        failed-units)
            systemd
            systemctl list-units --failed --plain --no-legend --no-pager ;;
        sockets)
            [ -r "/proc/net/$1" ] || [ -r "/proc/net/${1}6" ] || exit 69
            for table in "$1" "${1}6"; do
                if [ -r "/proc/net/$table" ]; then cat "/proc/net/$table"; fi
            done ;;
        processes)
            [ -r /proc/self/status ] || exit 69
            echo "$$"
            # What ends meanwhile is no mistake.
            grep -s -h -E '^(Name|State|Pid|PPid):' /proc/[0-9]*/status
            : ;;
        mounts)
            # The agent may have a view of its own.
            cat /proc/1/mounts 2>/dev/null || cat /proc/self/mounts || exit 69 ;;
        identity)
            fact machine-id /etc/machine-id /var/lib/dbus/machine-id
            fact boot-id /proc/sys/kernel/random/boot_id
            fact ssh-host-key /etc/ssh/ssh_host_*_key
            fact duid /var/lib/dhcpcd/duid /etc/dhcpcd.duid /var/lib/dhcpcd5/duid
            for file in /var/lib/dhcp/*.leases /var/lib/dhclient/*.leases; do
                line=$(grep -s default-duid "$file" | head -n 1)
                if [ -n "$line" ]; then echo "duid $(printf '%s\n' "$line" | sum) $file"; fi
            done
            fact random-seed /var/lib/systemd/random-seed /var/lib/urandom/random-seed /var/lib/misc/random-seed \
                /boot/efi/loader/random-seed /boot/loader/random-seed /efi/loader/random-seed ;;
        file-system)
            disk=
            for file in /sys/class/block/*/serial; do
                # It ends without a line break, which read takes for a failure.
                serial=; read -r serial 2>/dev/null <"$file"
                if [ "$serial" = "$1" ]; then disk=${file%/serial}; fi
            done
            [ -n "$disk" ] || exit 66
            disk=/dev/${disk##*/}
            ext4_uuid "$disk" ;;
        tree)
            look_at "$1" 2>/dev/null
            [ "$serial" = "$2" ] || exit 66
            cd "$place" || exit 70
            LC_ALL=C; export LC_ALL
            # What is told of a part would be taken for the whole: a line says so, as a pipeline has but its end's status.
            exec 3>&1
            {
                timeout "$3" find . -xdev -type f -exec sha256sum {} + || echo unread >&3
                timeout "$3" find . -xdev -type l -exec sh -c '
                    for link; do to=$(readlink "$link") || exit 1; printf "%s leads to %s\n" "$link" "$to"; done
                ' sh {} + || echo unread >&3
            } | {
                # Coreutils mark a name that has a backslash by another one, and double it.
                sed '/^\\/{s/^\\//;s/\\\\/\\/g;}' | sort || echo unread >&3
            } | sum ;;
        esac
        """#
}

import KilnModel

/// Keeps a guest from writing below a mount point while its volume is not mounted there: the volume would hide it, and it
/// would be gone with the root.
///
/// The directory on the root, and what the image has in it, gets the immutable flag; a volume can be mounted on it all the
/// same. Repeated at each boot, it changes nothing.
///
/// https://man7.org/linux/man-pages/man2/ioctl_iflags.2.html
enum MountGuard {
    /// The first command of `bootcmd`, for a full cloud-init.
    ///
    /// Where Kiln's initrd has done it already, nothing is done. The rest of `bootcmd` does not run where it fails.
    static func command(_ mounts: [GuestMount]) -> JSONValue {
        let paths = mounts.map { "'\($0.path.replacing("'", with: #"'\''"#))'" }.joined(separator: " ")
        return .string(script.replacing("PATHS", with: paths))
    }

    // The root is looked at through a mount of its own that nobody else sees, in which nothing is mounted over its
    // directories: at a later boot the volumes are there already, and the flag would hit theirs. chroot makes links lead to
    // where they lead on the root.
    private static let script = #"""
        grep -qs KILN_GUARD=initrd /proc/1/environ || unshare --mount --propagation private /bin/sh -s -- PATHS <<'KILN' || exit 1
        flag='
        import fcntl, os, struct, sys
        for path in sys.argv[1:]:
            file = os.open(path, os.O_RDONLY)
            flags, = struct.unpack("l", fcntl.ioctl(file, 0x80086601, struct.pack("l", 0)))
            fcntl.ioctl(file, 0x40086602, struct.pack("l", flags | 0x10))
        '
        guard() {
            mount --bind / /run && chroot /run mkdir -p -- "$@" || return
            if [ -x /usr/bin/chattr ]; then
                chroot /run find -H "$@" \( -type d -o -type f \) -exec chattr +i {} +
            else
                chroot /run find -H "$@" \( -type d -o -type f \) -exec python3 -c "$flag" {} +
            fi
        }
        why=$(guard "$@" 2>&1) || {
            echo "kiln-guest: unguarded mount points: $why" | tee /dev/console
            exit 1
        }
        KILN
        """#
}

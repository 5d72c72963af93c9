import KilnModel

/// A volume and where a guest mounts it.
struct GuestMount {
    let id: VolumeID
    let path: String
    let fileSystem: VolumeSpec.FileSystem

    /// systemd's name for the mount.
    ///
    /// https://www.freedesktop.org/software/systemd/man/latest/systemd.unit.html (String Escaping for Inclusion in Unit Names)
    var unit: String { GuestMount.escaped(path) + ".mount" }

    /// systemd's name for the device.
    var deviceUnit: String { GuestMount.escaped(id.guestDevice) + ".device" }

    /// The file of a mount that is done whenever its device appears, and that no boot waits for.
    var unitFile: (path: String, content: String) {
        let content = """
            [Unit]
            Description=Volume \(id)
            [Mount]
            What=\(id.guestDevice)
            Where=\(path.replacing("%", with: "%%"))
            Type=\(fileSystem.rawValue)
            Options=defaults,nofail
            [Install]
            WantedBy=\(deviceUnit)

            """
        return ("/etc/systemd/system/\(unit)", content)
    }

    /// What enabling the unit leaves on the root, besides its file.
    var enabledPath: String { "/etc/systemd/system/\(deviceUnit).wants" }

    private static func escaped(_ path: String) -> String {
        let names = path.split(separator: "/").map { name in
            name.utf8.map { byte -> String in
                let isPlain =
                    UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte
                    || UInt8(ascii: "a")...UInt8(ascii: "z") ~= byte
                    || UInt8(ascii: "A")...UInt8(ascii: "Z") ~= byte || byte == UInt8(ascii: ":")
                    || byte == UInt8(ascii: "_") || byte == UInt8(ascii: ".")
                let digits = String(byte, radix: 16)
                return isPlain ? String(UnicodeScalar(byte)) : "\\x" + (digits.count < 2 ? "0" : "") + digits
            }.joined()
        }
        let joined = names.joined(separator: "-")
        return joined.hasPrefix(".") ? "\\x2e" + joined.dropFirst() : joined
    }

    /// Waits up to ten seconds until each volume is mounted at its path; else names the path, and why.
    ///
    /// Its arguments are `ask` or `look`, then unit, path and serial number of each volume. The serial number tells that it is
    /// the volume and not a directory of the root, or another disk. Any sh runs it.
    static let script = #"""
        mode=$1; shift
        look() {
            while [ $# -gt 2 ]; do
                device=; serial=
                while read -r _ _ number _ point _; do [ "$point" = "$2" ] && device=$number; done < /proc/self/mountinfo
                [ -n "$device" ] && read -r serial < "/sys/dev/block/$device/serial"
                [ "$serial" = "$3" ] || { echo "$2 is not the volume $3"; return 1; }
                shift 3
            done
        }
        if [ "$mode" = ask ] && [ -d /run/systemd/system ]; then
            units=$(while [ $# -gt 2 ]; do printf '%s\n' "$1"; shift 3; done)
            # Names of units have neither blanks nor patterns.
            systemctl start $units || { systemctl --no-pager --lines 3 status $units 2>&1 | tail -n 5; exit 1; }
        fi
        left=200
        until why=$(look "$@" 2>/dev/null); do
            left=$((left - 1))
            [ $left -gt 0 ] || { echo "$why"; exit 1; }
            sleep 0.05
        done
        """#
}

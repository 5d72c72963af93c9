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

    /// Whether a byte of a path can stand in a shell's or a kernel's word, and needs no quotes.
    static func isPlain(_ byte: UInt8) -> Bool {
        isName(byte) || byte == UInt8(ascii: "/") || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "+")
            || byte == UInt8(ascii: "@")
    }

    // What systemd leaves as it is in a name.
    private static func isName(_ byte: UInt8) -> Bool {
        UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte || UInt8(ascii: "a")...UInt8(ascii: "z") ~= byte
            || UInt8(ascii: "A")...UInt8(ascii: "Z") ~= byte || byte == UInt8(ascii: ":")
            || byte == UInt8(ascii: "_") || byte == UInt8(ascii: ".")
    }

    private static func escaped(_ path: String) -> String {
        let names = path.split(separator: "/").map { name in
            name.utf8.map { byte -> String in
                let digits = String(byte, radix: 16)
                return isName(byte) ? String(UnicodeScalar(byte)) : "\\x" + (digits.count < 2 ? "0" : "") + digits
            }.joined()
        }
        let joined = names.joined(separator: "-")
        return joined.hasPrefix(".") ? "\\x2e" + joined.dropFirst() : joined
    }

    /// A shell's function that finds what is mounted at the end of a path: `place`, `device` as MAJOR:MINOR, and `serial`.
    static let lookAt = #"""
        look_at() {
            place=$(cd -P "$1" && pwd) || place=$1
            device=; serial=
            while read -r _ _ number _ point _; do
                case $place/ in "$point"/) device=$number ;; "$point"/*) device= ;; esac
            done < /proc/self/mountinfo
            [ -n "$device" ] && read -r serial < "/sys/dev/block/$device/serial"
        }
        """#

    /// Waits up to ten seconds until each volume is mounted at its path; else names the path, and why.
    ///
    /// Its arguments are `ask`, `look` or `glance`, then unit, path and serial number of each volume: to mount what is not,
    /// to wait, or neither. The serial number tells that it is the volume and not a directory of the root, or another disk.
    /// Any sh runs it.
    ///
    /// What is mounted at a path is hidden by a later mount above it. A path may lead elsewhere by a link in the image, maybe
    /// to where another volume is mounted, which hides the first one.
    static let script = #"""
        mode=$1; shift
        \#(lookAt)
        lead() {
            number=$1; shift
            while [ $# -gt 2 ]; do
                [ "$3" = "$number" ] && echo ", but $3: that is where $2 leads"
                shift 3
            done
        }
        look() {
            all=$*
            while [ $# -gt 2 ]; do
                look_at "$2"
                # Neither units, paths nor serial numbers have blanks or patterns.
                [ "$serial" = "$3" ] || { echo "$2 is not the volume $3$(lead "$serial" $all)"; return 1; }
                shift 3
            done
        }
        if [ "$mode" = ask ] && [ -d /run/systemd/system ]; then
            units=$(while [ $# -gt 2 ]; do printf '%s\n' "$1"; shift 3; done)
            # Names of units have neither blanks nor patterns.
            systemctl start $units || { systemctl --no-pager --lines 3 status $units 2>&1 | tail -n 5; exit 1; }
        fi
        [ "$mode" = glance ] && left=1 || left=200
        until why=$(look "$@" 2>/dev/null); do
            left=$((left - 1))
            [ $left -gt 0 ] || { echo "$why"; exit 1; }
            sleep 0.05
        done
        """#
}

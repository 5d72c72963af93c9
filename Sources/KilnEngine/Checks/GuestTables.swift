import Foundation
import KilnModel

/// What `systemctl show` says of a unit.
struct UnitState {
    private let fields: [String: String]

    init(_ said: [UInt8]) {
        let lines = String(decoding: said, as: UTF8.self).split(separator: "\n")
        let pairs = lines.compactMap { line -> (String, String)? in
            guard let sign = line.firstIndex(of: "=") else { return nil }
            return (String(line[..<sign]), String(line[line.index(after: sign)...]))
        }
        fields = Dictionary(pairs, uniquingKeysWith: { first, _ in first })
    }

    /// Whether it is started by itself, or by what needs it: what `systemctl is-enabled` ends with 0 for.
    ///
    /// https://www.freedesktop.org/software/systemd/man/latest/systemctl.html
    var isEnabled: Bool { Self.enabled.contains(fields["UnitFileState"] ?? "") }

    private static let enabled: Set = ["enabled", "enabled-runtime", "static", "alias", "indirect", "generated"]

    /// Whether it runs.
    var isRunning: Bool { ["active", "reloading"].contains(fields["ActiveState"] ?? "") }

    /// What is known of its file.
    var fileWords: String {
        let state = fields["UnitFileState"] ?? ""
        return state.isEmpty ? words("LoadState") : words("UnitFileState")
    }

    /// What it does.
    var stateWords: String { fields["LoadState"] == "not-found" ? "not-found" : words("ActiveState") }

    private func words(_ field: String) -> String { GuestText.line(fields[field] ?? "unknown") }
}

/// The kernel's tables of sockets.
///
/// https://docs.kernel.org/networking/proc_net_tcp.html
enum SocketTable {
    /// The addresses on which something listens on a port.
    static func listeners(on port: PortResource, in said: [UInt8]) -> [String] {
        // A UDP socket that is connected to nobody takes what comes.
        let state: Substring = port.transport == .tcp ? "0A" : "07"
        let lines = String(decoding: said, as: UTF8.self).split(separator: "\n")
        let found = lines.compactMap { line -> String? in
            let fields = line.split(separator: " ")
            guard fields.count > 3, fields[3] == state else { return nil }
            let ends = fields[1].split(separator: ":")
            guard ends.count == 2, UInt16(ends[1], radix: 16) == port.number else { return nil }
            return address(ends[0])
        }
        return Set(found).sorted()
    }

    // Words of 32 bits, each as a little-endian machine reads it.
    private static func address(_ digits: Substring) -> String? {
        let bytes = stride(from: 0, to: digits.utf8.count, by: 2).compactMap { index -> UInt8? in
            UInt8(String(digits.dropFirst(index).prefix(2)), radix: 16)
        }
        guard bytes.count == 4 || bytes.count == 16, bytes.count * 2 == digits.utf8.count else { return nil }
        let ordered = stride(from: 0, to: bytes.count, by: 4).flatMap { bytes[$0..<$0 + 4].reversed() }
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        let family = ordered.count == 4 ? AF_INET : AF_INET6
        guard inet_ntop(family, ordered, &text, socklen_t(text.count)) != nil else { return nil }
        return String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}

/// The kernel's list of processes.
enum ProcessTable {
    /// The names of the processes that live, without those that made the list; nothing where there is none at all.
    static func names(in said: [UInt8]) -> [String]? {
        let lines = String(decoding: said, as: UTF8.self).split(separator: "\n")
        guard let asker = lines.first.flatMap({ Int($0) }) else { return nil }
        var names: [String] = []
        var name: String?, isAlive = true, isAsker = false
        func end() {
            if let name, isAlive, !isAsker { names.append(name) }
        }
        for line in lines.dropFirst() {
            guard let colon = line.firstIndex(of: ":") else { continue }
            let value = line[line.index(after: colon)...].drop { $0 == "\t" || $0 == " " }
            switch line[..<colon] {
            case "Name":
                end()
                (name, isAlive, isAsker) = (unescaped(value), true, false)
            case "State": isAlive = !["Z", "X"].contains(value.prefix(1))
            // The shell that asks, and what it runs.
            case "Pid", "PPid": isAsker = isAsker || Int(value) == asker
            default: break
            }
        }
        end()
        return names.isEmpty ? nil : names
    }

    // The kernel writes a line break and a backslash with a backslash.
    private static func unescaped(_ text: Substring) -> String {
        var name = ""
        var isEscaped = false
        for character in text {
            if isEscaped {
                name.append(character == "n" ? "\n" : character)
            } else if character != "\\" {
                name.append(character)
            }
            isEscaped = !isEscaped && character == "\\"
        }
        return name
    }
}

/// The kernel's list of mounts.
///
/// https://man7.org/linux/man-pages/man5/fstab.5.html
enum MountTable {
    struct Mount {
        let source: String
        let kind: String
        let options: [String]
    }

    /// The mount at a path that hides all others there.
    static func top(at path: RootPath, in said: [UInt8]) -> Mount? {
        let wanted = Array(path.plain.utf8)
        let line = said.split(separator: 0x0a).last { line in
            let fields = line.split(separator: 0x20)
            return fields.count > 3 && unescaped(fields[1]) == wanted
        }
        guard let fields = line?.split(separator: 0x20) else { return nil }
        return Mount(
            source: String(decoding: unescaped(fields[0]), as: UTF8.self),
            kind: String(decoding: fields[2], as: UTF8.self),
            options: fields[3].split(separator: 0x2c).map { String(decoding: unescaped($0), as: UTF8.self) }
        )
    }

    // A blank, a tab, a line break and a backslash are three octal digits after a backslash.
    private static func unescaped(_ field: ArraySlice<UInt8>) -> [UInt8] {
        var rest = field
        var bytes: [UInt8] = []
        while let byte = rest.popFirst() {
            let digits = rest.prefix(3)
            guard byte == 0x5c, digits.count == 3,
                let value = UInt8(String(decoding: digits, as: UTF8.self), radix: 8)
            else {
                bytes.append(byte)
                continue
            }
            bytes.append(value)
            rest.removeFirst(3)
        }
        return bytes
    }
}

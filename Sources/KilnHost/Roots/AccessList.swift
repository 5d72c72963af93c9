/// A POSIX access list, which ext4 stores in another form than that in which the kernel shows it as an attribute.
///
/// https://docs.kernel.org/filesystems/ext4/attributes.html#posix-acls
struct AccessList {
    /// The attributes that hold one.
    static let names = ["system.posix_acl_access", "system.posix_acl_default"].map { Array($0.utf8) }

    private struct Entry {
        let tag: UInt16
        let permissions: UInt16
        let id: UInt32
    }

    private let entries: [Entry]

    /// A list as it is stored; nothing where that is none.
    init?(stored bytes: [UInt8]) {
        var rest = bytes[...]
        func take(_ count: Int) -> UInt32? {
            guard rest.count >= count else { return nil }
            defer { rest = rest.dropFirst(count) }
            return rest.prefix(count).reversed().reduce(0) { $0 << 8 | UInt32($1) }
        }
        guard take(4) == 1 else { return nil }
        var entries: [Entry] = []
        while !rest.isEmpty {
            guard let tag = take(2), let permissions = take(2) else { return nil }
            // Only entries of one user or group have a number.
            let isNamed = tag == 2 || tag == 8
            guard [1, 2, 4, 8, 0x10, 0x20].contains(tag), let id = isNamed ? take(4) : .max else { return nil }
            entries.append(Entry(tag: UInt16(tag), permissions: UInt16(permissions), id: id))
        }
        self.entries = entries
    }

    /// The list as the kernel shows it, and as it is set.
    var shown: [UInt8] {
        [2, 0, 0, 0]
            + entries.flatMap { entry in
                AccessList.bytes(entry.tag) + AccessList.bytes(entry.permissions) + AccessList.bytes(entry.id)
            }
    }

    private static func bytes(_ number: some FixedWidthInteger) -> [UInt8] {
        withUnsafeBytes(of: number.littleEndian) { Array($0) }
    }
}

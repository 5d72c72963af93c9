/// How the tests of an image name a port of the guest, to which nobody has given a name.
public enum TestedPort {
    private static let prefix = "port-"

    /// The name of a port.
    public static func name(of number: UInt16) -> Name? { try? Name(prefix + String(number)) }

    /// The port of a name.
    public static func number(of name: Name) -> UInt16? {
        name.text.hasPrefix(prefix) ? UInt16(name.text.dropFirst(prefix.count)) : nil
    }
}

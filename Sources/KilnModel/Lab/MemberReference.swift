/// What a text says of the member that reads it: `${member.index}`, from 0 up.
public enum MemberReference {
    /// The expression, without `${` and `}`.
    public static let index = "member.index"

    /// `text` with each reference replaced by what is so of a member.
    public static func replacing(in text: String, with member: MemberID) -> String {
        guard text.contains("${member.") else { return text }
        return PortReference.replacingExpressions(in: text) { $0 == index ? "\(member.ordinal)" : nil }
    }
}

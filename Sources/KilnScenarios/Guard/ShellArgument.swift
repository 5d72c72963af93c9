/// What a word may be once its variables are replaced.
struct ShellArgument: Sendable, Hashable {
    /// One of the texts that it may be.
    struct Value: Sendable, Hashable {
        /// The text, up to the first part that is not known.
        var text: String
        var isKnown: Bool

        static let unknown = Value(text: "", isKnown: false)

        static func + (left: Value, right: Value) -> Value {
            guard left.isKnown else { return left }
            guard left.text.utf8.count + right.text.utf8.count <= ShellArgument.longest else {
                return Value(text: left.text, isKnown: false)
            }
            return Value(text: left.text + right.text, isKnown: right.isKnown)
        }
    }

    /// More are not followed.
    static let most = 16
    /// Longer texts are not followed; a file that Kiln reads has at most half as much.
    static let longest = 2 << 20

    private(set) var values: [Value]

    init(_ values: [Value]) {
        var distinct: [Value] = []
        for value in values where !distinct.contains(value) { distinct.append(value) }
        self.values = Array(distinct.prefix(Self.most))
        if distinct.count > Self.most { self.values.append(.unknown) }
    }

    init(_ text: String) { self.init([Value(text: text, isKnown: true)]) }

    static let unknown = ShellArgument([.unknown])

    /// The text where it can be only one.
    var known: String? { values.count == 1 && isKnown ? values.first?.text : nil }

    var isKnown: Bool { values.allSatisfy(\.isKnown) }

    var isOption: Bool { values.allSatisfy { $0.text.hasPrefix("-") } }

    /// Every text that is followed by every one of the other.
    static func + (left: ShellArgument, right: ShellArgument) -> ShellArgument {
        ShellArgument(left.values.flatMap { before in right.values.map { before + $0 } })
    }

    /// Without `prefix` where it begins with that; nothing where no text does.
    func removing(_ prefix: String) -> ShellArgument? {
        let rests = values.filter { $0.text.hasPrefix(prefix) }.map {
            Value(text: String($0.text.dropFirst(prefix.count)), isKnown: $0.isKnown)
        }
        return rests.isEmpty ? nil : ShellArgument(rests)
    }
}

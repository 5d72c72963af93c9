/// Which instructions a machine's processors have.
public enum ProcessorModel: Sendable, Hashable {
    /// The psABI's level of 2009: SSE 4.2, POPCNT, CMPXCHG16B. RHEL 9 and its kin are built for it.
    case level2
    /// The level of 2013: also AVX2, BMI, FMA. RHEL 10 is built for it.
    case level3
    /// All that the host's processor has; where the processor is emulated, all that the emulator can do.
    case host
    /// A model by the hypervisor's name for it, such as `EPYC`.
    case named(String)

    /// The longest name of a model.
    public static let longest = 40

    /// The model that a text names; nothing where it can't be the name of one.
    public init?(_ text: String) {
        switch text {
        case "x86-64-v2": self = .level2
        case "x86-64-v3": self = .level3
        case "host": self = .host
        default:
            let isName = text.utf8.allSatisfy { byte in
                (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
                    || ".-_".utf8.contains(byte)
            }
            // Levels without a meaning here, such as x86-64-v9, are no model of anybody's.
            guard isName, !text.hasPrefix("x86-64"), (1...Self.longest).contains(text.utf8.count),
                text.first?.isLetter ?? false || text.first?.isNumber ?? false
            else { return nil }
            self = .named(text)
        }
    }

    /// The model as it is written in files.
    public var text: String {
        switch self {
        case .level2: "x86-64-v2"
        case .level3: "x86-64-v3"
        case .host: "host"
        case .named(let name): name
        }
    }
}

extension ProcessorModel: Codable {
    /// Decodes the text.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard let model = ProcessorModel(text) else {
            throw DecodingError.dataCorruptedError(
                in: container,
                debugDescription: "expected a processor model, found \(Name.quoted(text))"
            )
        }
        self = model
    }

    /// Encodes the text.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(text)
    }
}

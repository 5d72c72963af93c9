import KilnModel

extension KilnModel.ExitCode {
    /// What the code means, in a few words.
    public var meaning: String {
        switch self {
        case .done: "done, or passed"
        case .unmet: "an expectation was not met"
        case .dataLoss: "acknowledged data was lost"
        case .aborted: "given up before the handover; what served before serves on"
        case .reverted: "given up, and the old generation serves again"
        case .blocked: "something else holds what is needed; it is named"
        case .halted: "neither way was safe: a person has to decide"
        case .usage: "the command line was not understood"
        case .invalidFile: "a file is invalid"
        case .unreachable: "the hypervisor can't be reached"
        case .internalError: "a fault of kiln or of the host"
        case .deadline: "a deadline passed"
        case .interrupted: "interrupted"
        }
    }

    var helpLine: String {
        let number = String(rawValue)
        return String(repeating: " ", count: 5 - number.count) + "\(number)  \(meaning)"
    }
}

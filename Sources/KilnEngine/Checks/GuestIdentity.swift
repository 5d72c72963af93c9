import KilnModel

/// What a machine has of its own, and no other may have: found in the guest, as digests.
public struct GuestIdentity: Sendable, Hashable {
    /// The parts of an identity.
    public enum Part: String, Sendable, Hashable, CaseIterable {
        /// systemd's id of the installation.
        case machineID = "machine-id"
        /// The kernel's id of the boot.
        case bootID = "boot-id"
        /// The SSH server's private keys.
        case hostKey = "ssh-host-key"
        /// By which a DHCP server knows a client.
        case duid = "duid"
        /// What the random numbers of the next boot begin with.
        case randomSeed = "random-seed"
    }

    private let digests: [Part: [String: ImageDigest]]

    /// Reads what the script says; lines that are none are passed over.
    init(_ said: [UInt8]) {
        var digests: [Part: [String: ImageDigest]] = [:]
        for line in String(decoding: said, as: UTF8.self).split(separator: "\n") {
            let fields = line.split(separator: " ", maxSplits: 2)
            guard fields.count == 3, let part = Part(rawValue: String(fields[0])),
                let digest = ImageDigest(String(fields[1])), digest.hex != Self.emptyDigest
            else { continue }
            digests[part, default: [:]][String(fields[2])] = digest
        }
        self.digests = digests
    }

    // An empty file is none: systemd fills it at the first boot.
    private static let emptyDigest = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

    /// Compares two machines: what both have and what is the same; a part that neither has is fine.
    public func assertion(_ part: Part, against other: GuestIdentity, seconds: Double) -> Assertion {
        let (mine, its) = (digests[part] ?? [:], other.digests[part] ?? [:])
        let same = mine.filter { its[$0.key] == $0.value }.keys.sorted()
        let found =
            if !same.isEmpty {
                "the same in both: \(same.map(GuestText.line).joined(separator: ", "))"
            } else if mine.isEmpty && its.isEmpty {
                "neither has one"
            } else {
                "they differ"
            }
        return Assertion(
            subject: "two machines: \(part.rawValue)",
            expected: "they differ",
            found: found,
            outcome: same.isEmpty ? .passed : .failed,
            place: .booted,
            seconds: seconds
        )
    }
}

extension GuestChecks {
    /// What the machine has of its own.
    ///
    /// - Throws: `KilnError` where the guest can't be asked.
    public func identity(within limit: Duration = Check.usualTimeout) async throws -> GuestIdentity {
        GuestIdentity(try await guests.ask(["identity"], in: machine, within: limit).output)
    }

    /// The units of systemd that failed; nothing where the guest has no systemd.
    ///
    /// - Throws: `KilnError` where the guest can't be asked.
    public func failedUnits(within limit: Duration = Check.usualTimeout) async throws -> [String]? {
        guard let said = try await told(["failed-units"], limit) else { return nil }
        return String(decoding: said, as: UTF8.self).split(separator: "\n")
            .compactMap { line in line.split(separator: " ").first { $0 != "●" && $0 != "*" } }
            .map { GuestText.line($0.utf8) }
    }
}

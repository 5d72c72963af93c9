extension GuestAgent {
    /// Whether the guest's file systems are frozen.
    public enum FreezeStatus: String, Sendable, Decodable {
        /// Writes go through.
        case thawed
        /// Writes wait for a thaw.
        case frozen
    }

    /// Flushes the guest's file systems and holds back writes until ``thaw(deadline:)``.
    ///
    /// Frozen, the agent refuses most commands, `guest-exec` among them. After an error the state is unknown: thaw.
    ///
    /// - Parameter deadline: how long the guest may take to flush.
    public func freeze(deadline: Duration) async throws {
        try await reach(.frozen, by: "guest-fsfreeze-freeze", deadline)
    }

    /// Lets writes go on.
    ///
    /// Thawing what is not frozen is not an error.
    ///
    /// - Parameter deadline: how long the guest may take.
    public func thaw(deadline: Duration) async throws {
        try await reach(.thawed, by: "guest-fsfreeze-thaw", deadline)
    }

    // An answer may get lost on its way; the guest knows what it is.
    private func reach(_ wanted: FreezeStatus, by command: String, _ deadline: Duration) async throws {
        do {
            let _: Int = try await ask(command, timeout: deadline)
        } catch let error as LibvirtError {
            guard (try? await freezeStatus()) == wanted else { throw error }
        } catch let error as GuestAgentError {
            guard (try? await freezeStatus()) == wanted else { throw error }
        }
    }

    /// Whether an agent that refuses a command refuses it for good: its guest's configuration doesn't allow it.
    ///
    /// - Throws: ``LibvirtError`` or ``GuestAgentError`` where that can't be known.
    public func forbids(_ command: String) async throws -> Bool {
        struct Info: Decodable {
            struct Command: Decodable {
                let name: String
                let enabled: Bool
            }
            let commands: [Command]
            enum CodingKeys: String, CodingKey { case commands = "supported_commands" }
        }
        // Frozen, it allows hardly any.
        if (try? await freezeStatus()) == .frozen { return false }
        let info: Info = try await ask("guest-info")
        return !info.commands.contains { $0.name == command && $0.enabled }
    }

    /// Whether the guest's file systems are frozen.
    public func freezeStatus() async throws -> FreezeStatus {
        try await ask("guest-fsfreeze-status")
    }

    /// Sets the guest's clock.
    ///
    /// - Parameter sinceEpoch: the time since 1970-01-01T00:00:00Z.
    public func setTime(_ sinceEpoch: Duration) async throws {
        struct Time: Encodable { let time: Int64 }
        let (seconds, attoseconds) = sinceEpoch.components
        let nanoseconds = seconds * 1_000_000_000 + attoseconds / 1_000_000_000
        let _: Nothing = try await ask("guest-set-time", Time(time: nanoseconds))
    }

    /// The guest's host name.
    public func hostName() async throws -> String {
        struct HostName: Decodable {
            let name: String
            enum CodingKeys: String, CodingKey { case name = "host-name" }
        }
        let answer: HostName = try await ask("guest-get-host-name")
        return answer.name
    }

    /// What the guest says of its operating system; each part may be missing.
    public struct OperatingSystem: Sendable, Equatable, Decodable {
        /// Such as "debian".
        public let id: String?
        /// Such as "Debian GNU/Linux 13 (trixie)".
        public let prettyName: String?
        /// Such as "13".
        public let versionID: String?
        /// Such as "6.12.38".
        public let kernelRelease: String?
        /// Such as "x86_64".
        public let machine: String?

        enum CodingKeys: String, CodingKey {
            case id, machine
            case prettyName = "pretty-name"
            case versionID = "version-id"
            case kernelRelease = "kernel-release"
        }
    }

    /// What the guest says of its operating system.
    public func operatingSystem() async throws -> OperatingSystem {
        try await ask("guest-get-osinfo")
    }
}

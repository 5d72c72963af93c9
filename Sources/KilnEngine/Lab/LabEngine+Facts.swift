import Foundation
import KilnModel

/// What is asked of a server that serves, beyond what its status has.
extension LabEngine {
    /// How long a server's machine took from its last start until it was ready: a start of any kind counts, also the restart
    /// of its guest.
    ///
    /// It begins when the machine is given to the hypervisor, and ends before the soak. With warm-first it takes in what is
    /// done to the old machine meanwhile. Of a machine that crashed by a fault of the emulator the second boot counts.
    ///
    /// - Returns: nothing where it was not found ready since, or an older Kiln has started it.
    /// - Throws: `KilnError` where there is no such server, or no machine of it.
    public func timeToReady(_ id: MemberID) throws -> Duration? { try existing(id).timeToReady(try machine(id)) }

    /// The UUID of the file system on a volume, as a server's guest has it on the disk; in small letters.
    ///
    /// - Returns: nothing where the guest has no such disk, or no ext4 is on it.
    /// - Throws: `KilnError` where the guest can't be asked.
    public func fileSystemID(of volume: Name, on id: MemberID, within limit: Duration) async throws -> String? {
        guard let disk = try volumes.record(lab: id.lab, volume)?.id else { return nil }
        guard let said = try await asked(["file-system", disk.description], on: id, limit) else { return nil }
        let digits = String(decoding: said, as: UTF8.self).filter { !$0.isWhitespace }
        guard digits.utf8.count == 32, digits.allSatisfy(\.isHexDigit) else {
            throw nonsense("the UUID of its volume \(volume)", said, id)
        }
        let ends = [0, 8, 12, 16, 20, 32]
        return zip(ends, ends.dropFirst()).map { String(Array(digits)[$0..<$1]) }.joined(separator: "-")
    }

    /// A sum over what a server's guest has on a volume: the paths and contents of its files, and where its links lead.
    ///
    /// Owners, permissions and times mean nothing, nor do empty directories, and what is mounted below the volume. What is
    /// written meanwhile may be in it or not.
    ///
    /// - Returns: nothing where the volume is not mounted where the server has it.
    /// - Throws: `guest.refused` where a file can't be read, or is gone when its turn comes; `guest.command-deadline`, and what
    ///   else keeps the guest from being asked.
    public func contentDigest(
        of volume: Name,
        on id: MemberID,
        within limit: Duration
    ) async throws -> ImageDigest? {
        guard let disk = try volumes.record(lab: id.lab, volume)?.id, let path = try record(id).spec.volumes[volume]
        else { return nil }
        // For whom nobody waits any more does not go on for long.
        let seconds = "\(limit.components.seconds + 1)"
        guard let said = try await asked(["tree", path, disk.description, seconds], on: id, limit) else { return nil }
        let lines = String(decoding: said, as: UTF8.self).split(separator: "\n")
        guard !lines.contains("unread") else {
            throw KilnError(
                .guestRefused,
                "the guest of \(id) can't read all of the volume \(volume): a file is unreadable, or changed while it was read",
                hint: "let nothing write below \(path) meanwhile",
                exit: .aborted
            )
        }
        guard let only = lines.first, lines.count == 1, let digest = ImageDigest(String(only)) else {
            throw nonsense("the content of its volume \(volume)", said, id)
        }
        return digest
    }

    // Nothing where there is no such thing.
    private func asked(_ arguments: [String], on id: MemberID, _ limit: Duration) async throws -> [UInt8]? {
        try await reaching(id, now: false) { machine in
            let result = try await parts.guests.ask(arguments, in: machine, within: limit)
            return result.status == 0 ? result.output : nil
        }
    }

    private func nonsense(_ what: String, _ said: [UInt8], _ id: MemberID) -> KilnError {
        KilnError(
            .guestNonsense,
            "the guest of \(id) was asked for \(what), and said \(GuestText.line(said))",
            hint: "see what answers in it: 'kiln exec \(id) -- sh -c \"command -v find od sha256sum\"'"
        )
    }
}

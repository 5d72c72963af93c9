import KilnDocuments
import KilnEngine
import KilnModel
import KilnSystem

/// `host-disk-full`: a file system below the run's own KILN_HOME has no room left.
struct HostDiskFull: FaultAction {
    static let kind = FaultKind(
        word: "host-disk-full",
        about: "Fills a file system of this host, in a home of the run's own.",
        fields: { Schema.object(HostDiskFullFields.self, $0) },
        decode: { value, _ in HostDiskFull(value) }
    )

    private let part: HomePart

    init?(_ value: Value) {
        guard let fields = Fields<HostDiskFullFields>(value, "a map with 'of'"),
            let part = fields[.of]?.word(HomePart.self)
        else { return nil }
        self.part = part
    }

    var summary: String { "host-disk-full: \(part.rawValue)" }
    var servers: [Name] { [] }
    var needsOwnHome: Bool { true }

    func strike(_ ground: FaultGround) async throws -> StruckFault {
        let folder = try ground.ownHome().folder(of: part)
        let filler = DiskFiller(path: folder + "/.kiln-fault-filler")
        let taken = try await BlockingWork.run { try filler.fill() }
        // Not asked again: what kiln clears away meanwhile makes room.
        return StruckFault(
            proof: { "the file system of \(folder) took no byte more, after \(ByteCount(bytes: UInt64(taken)))" },
            undo: { filler.remove() }
        )
    }
}

/// The fields of `host-disk-full`.
enum HostDiskFullFields: String, FileField {
    case of

    static let required: [HostDiskFullFields] = [.of]

    var schema: JSONValue {
        Schema.words(HomePart.self, "What has no room: journals and roots of machines, or volumes.")
    }
}

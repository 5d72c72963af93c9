import Glibc
import KilnDocuments
import KilnModel

/// `read-only-disk`: every write of a machine to one of its disks fails with EROFS.
struct ReadOnlyDisk: FaultAction {
    static let kind = FaultKind(
        word: "read-only-disk",
        about: "Lets a disk refuse all writes, which pauses the machine at the next one.",
        fields: { Schema.object(DiskFields.self, $0) },
        decode: { ReadOnlyDisk($0, $1) }
    )

    private let target: DiskTarget

    init?(_ value: Value, _ reader: FaultReader) {
        guard let target = DiskFields.target(value, reader) else { return nil }
        self.target = target
    }

    var summary: String { "read-only-disk: \(target.words)" }
    var servers: [Name] { [target.machine.server] }

    func strike(_ ground: FaultGround) async throws -> StruckFault {
        try await FailingWrites(target: target, code: EROFS, isOnce: false).strike(ground)
    }
}

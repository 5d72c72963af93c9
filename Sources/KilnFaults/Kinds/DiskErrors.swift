import Glibc
import KilnDocuments
import KilnModel

/// `io-error`: one write of a machine to one of its disks fails with EIO.
struct DiskErrors: FaultAction {
    static let kind = FaultKind(
        word: "io-error",
        about: "Lets the next write to a disk fail with an I/O error, which pauses the machine.",
        fields: { Schema.object(DiskFields.self, $0) },
        decode: { DiskErrors($0, $1) }
    )

    private let target: DiskTarget

    init?(_ value: Value, _ reader: FaultReader) {
        guard let target = DiskFields.target(value, reader) else { return nil }
        self.target = target
    }

    var summary: String { "io-error on \(target.words)" }
    var servers: [Name] { [target.machine.server] }

    func strike(_ ground: FaultGround) async throws -> StruckFault {
        try await FailingWrites(target: target, code: EIO, isOnce: true).strike(ground)
    }
}

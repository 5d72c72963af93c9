import KilnDocuments
import KilnEngine
import KilnModel

/// `volume-in-use`: somebody outside Kiln has a volume open, with the lock that a QEMU would have on it.
struct VolumeInUse: FaultAction {
    static let kind = FaultKind(
        word: "volume-in-use",
        about: "Holds a volume as a foreign QEMU would; no machine may have it then.",
        fields: { Schema.object(VolumeFields.self, $0) },
        decode: { VolumeInUse($0, $1) }
    )

    private let server: Name
    private let volume: Name

    init?(_ value: Value, _ reader: FaultReader) {
        guard let fields = Fields<VolumeFields>(value, "a map with 'volume'") else { return nil }
        let volumes = reader.servers.flatMap(\.volumes)
        guard let volume = fields[.volume]?.reference("volume of a server", among: volumes),
            let owner = reader.servers.first(where: { $0.volumes.contains(volume) })
        else { return nil }
        self.volume = volume
        server = owner.name
    }

    var summary: String { "volume-in-use \(volume)" }
    var servers: [Name] { [server] }
    var needsMachine: Bool { false }

    func strike(_ ground: FaultGround) async throws -> StruckFault {
        guard let path = try ground.engine.activeLayer(of: volume, in: ground.lab.name) else {
            throw FaultGround.impossible("there is no volume \(volume) yet")
        }
        let held = try ground.host.hold(path)
        // Now, since a snapshot would leave it in a layer that nobody writes any more.
        let isHeld: Bool
        do {
            isHeld = try !ground.parts.holders.isLockObtainable(path)
        } catch {
            held.release()
            throw error
        }
        return StruckFault(proof: { isHeld ? "nobody else can lock it" : nil }, undo: { held.release() })
    }
}

/// The fields of `volume-in-use`.
enum VolumeFields: String, FileField {
    case volume

    static let required: [VolumeFields] = [.volume]

    var schema: JSONValue { Schema.name("The volume, which no machine may have then.") }
}

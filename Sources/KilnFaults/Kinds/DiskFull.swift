import KilnDocuments
import KilnEngine
import KilnModel

/// `disk-full`: a file of the guest takes up all that is free on a volume.
struct DiskFull: FaultAction {
    static let kind = FaultKind(
        word: "disk-full",
        about: "Fills a volume from within the guest.",
        fields: { Schema.object(DiskFullFields.self, $0) },
        decode: { DiskFull($0, $1) }
    )

    private let server: Name
    private let volume: Name

    init?(_ value: Value, _ reader: FaultReader) {
        guard let fields = Fields<DiskFullFields>(value, "a map with 'server' and 'volume'") else { return nil }
        let server = reader.server(fields[.server])
        guard let volume = reader.volume(fields[.volume], of: server), let server else { return nil }
        self.server = server.name
        self.volume = volume
    }

    var summary: String { "disk-full: the volume \(volume) of \(server)" }
    var servers: [Name] { [server] }

    // Space is reserved where the guest can do that; the rest is written. What a file system has set aside for data that it
    // has not placed yet is free again once it has.
    private static let fill = #"""
        file=$1/.kiln-fault-filler
        [ ! -e "$file" ] || { echo "$file is there already" >&2; exit 3; }
        free=$(df -Pk "$1" | tail -n 1 | tr -s ' ' | cut -d' ' -f4)
        fallocate -l "$((free * 1024))" "$file" 2>/dev/null || :
        for round in 1 2 3; do
          dd if=/dev/zero bs=65536 2>/dev/null >>"$file"
          dd if=/dev/zero bs=512 2>/dev/null >>"$file"
          sync
        done
        if dd if=/dev/zero bs=4096 count=1 2>/dev/null >>"$file"; then echo 0; else wc -c <"$file"; fi
        """#
    private static let clear = #"rm -f "$1/.kiln-fault-filler""#

    func strike(_ ground: FaultGround) async throws -> StruckFault {
        guard let path = ground.lab.servers[server]?.volumes[volume] else {
            throw FaultGround.impossible("\(server) does not mount \(volume)")
        }
        let (engine, id) = (ground.engine, ground.id(server))
        let command = GuestCommand(["/bin/sh", "-c", DiskFull.fill, "fill", path], deadline: .seconds(300))
        let undo = { @Sendable () async throws -> Void in
            // The volume may be another machine's by now, at the same place.
            let result = try await engine.run(GuestCommand(["/bin/sh", "-c", DiskFull.clear, "clear", path]), on: id)
            guard result.status == 0 else { throw GuestAnswer.failure("the clearing of \(path)", result) }
        }
        do {
            let result = try await engine.run(command, on: id)
            guard result.status == 0 else { throw GuestAnswer.failure("the filling of \(path)", result) }
            let size = GuestAnswer.number(result) ?? 0
            return StruckFault(proof: { size > 0 ? "\(size) bytes fill it; 4096 more were refused" : nil }, undo: undo)
        } catch {
            // A task of its own: this one may be cancelled, and nothing could be asked of the guest any more.
            _ = await Task { try await undo() }.result
            throw error
        }
    }
}

/// The fields of `disk-full`.
enum DiskFullFields: String, FileField {
    case server, volume

    static let required: [DiskFullFields] = [.server, .volume]

    var schema: JSONValue {
        switch self {
        case .server: Schema.name("The server.")
        case .volume: Schema.name("The volume.")
        }
    }
}

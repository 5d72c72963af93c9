import Foundation
import KilnEngine
import KilnModel
import KilnTestSupport
import Testing

/// A fake world with a lab of one server, `lab/web`, on one volume, `data`.
struct LabTestWorld {
    let world: FakeWorld
    let id: MemberID
    let volume: Name

    init(
        _ behaviours: [String: GuestBehaviour] = ["1": GuestBehaviour(), "2": GuestBehaviour()],
        plant bug: FakeWorld.Bug? = nil
    ) throws {
        world = try FakeWorld(plant: bug)
        id = MemberID(lab: try Name("lab"), server: try Name("web"))
        volume = try Name("data")
        for (version, behaviour) in behaviours.sorted(by: { $0.key < $1.key }) {
            try world.images.add(version, behaviour)
        }
    }

    var engine: LabEngine { world.engine }

    func machine(_ generation: Int) -> MachineID { id.machine(Generation(generation)) }

    func spec(_ image: String = "tiny:1") throws -> ServerSpec {
        ServerSpec(
            image: try ImageReference(image),
            volumes: [volume: "/data"],
            ports: [try Name("http"): PortSpec(guest: 80)],
            ready: [
                Check(.agent), Check(.cloudInit()), Check(.http(HTTPProbe(port: try Name("http"), path: "/health"))),
            ],
            readyTimeout: .seconds(100),
            stopTimeout: .milliseconds(60)
        )
    }

    func lab(_ servers: [Name: ServerSpec]? = nil) throws -> LabSpec {
        LabSpec(
            name: id.lab,
            volumes: [volume: VolumeSpec(size: .mebibytes(64))],
            servers: try servers ?? [id.server: spec()]
        )
    }

    @discardableResult
    func up() async throws -> ServerStatus { try #require(try await engine.up(lab()).first) }

    /// Brings the server up as it is declared here, or declares it otherwise.
    @discardableResult
    func up(_ spec: ServerSpec) async throws -> ServerStatus {
        try #require(try await engine.up(lab([id.server: spec])).first)
    }

    func replace(_ image: String, _ strategy: Strategy? = nil) async throws -> ReplacementReport {
        try await engine.replace(id, ReplaceOptions(image: try ImageReference(image), strategy: strategy))
    }

    /// The permission bits of a file.
    func mode(_ path: String) throws -> Int {
        try #require(try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int)
    }

    func record() throws -> VolumeRecord { try #require(try engine.volumes.record(lab: id.lab, volume)) }

    var activeLayer: String {
        get throws { "\(world.state.volume(lab: id.lab, volume))/\(try #require(try record().layers.last))" }
    }

    /// Lets a machine write a line to the volume.
    func write(_ line: String, by generation: Int) { #expect(world.hypervisor.write(line, by: machine(generation))) }

    func written() throws -> [String] { try world.written(lab: id.lab, volume: volume) }

    /// Makes a machine older by 100 s.
    func age(_ machine: MachineID) throws {
        let path = URL(fileURLWithPath: world.state.generation(machine) + "/generation.json")
        var record = try #require(try JSONSerialization.jsonObject(with: Data(contentsOf: path)) as? [String: Any])
        record["created"] = Date.now.addingTimeInterval(-100).formatted(.iso8601)
        try JSONSerialization.data(withJSONObject: record).write(to: path)
    }

    /// The paths below the state directory.
    func files() throws -> [String] {
        try FileManager.default.subpathsOfDirectory(atPath: world.state.root).sorted()
    }

    func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: path) }
}

import ArgumentParser
import Foundation
import KilnBakery
import KilnEngine
import KilnHost
import KilnModel
import KilnStore
import KilnTestSupport
import Testing

@testable import KilnCLI

/// Kiln's verbs on a fake world: each is parsed from its line and run as the program would run it.
struct WorldSession {
    /// What a verb left behind.
    struct Ending {
        let status: Int32
        let output: String
        let errors: String

        func json<Value: Decodable>(_ type: Value.Type) throws -> Value {
            try JSONDecoder().decode(type, from: Data(output.utf8))
        }
    }

    let world: FakeWorld
    /// A lab file with a server `web` and a volume `data`.
    var file: String { world.root + "/kiln.yaml" }

    init() throws {
        world = try FakeWorld()
        for version in ["1", "2"] { try world.images.add(version) }
        try world.images.add("bad", GuestBehaviour(.cloudInitFails))
        try declare("tiny:1")
    }

    /// Writes the lab file anew.
    func declare(_ image: String, ports: String = "{ http: 80 }") throws {
        let text = """
            kiln: 1
            name: shop
            lab:
              volumes:
                data: { size: 64MiB }
              servers:
                web:
                  image: '\(image)'
                  volumes: { data: /data }
                  ports: \(ports)
                  ready: [agent, cloud-init]
                  ready-timeout: 100s

            """
        try Data(text.utf8).write(to: URL(fileURLWithPath: file))
    }

    /// What verbs work with.
    func workspace() async throws -> Workspace {
        try await RecordedSession().session(.table, isQuiet: true, in: world).workspace()
    }

    /// A session on this world whose streams nobody reads.
    func recorded() async throws -> Session { RecordedSession().session(.json, isQuiet: true, in: world) }

    /// Runs a verb.
    func kiln(_ line: String...) async throws -> Ending { try await run(line) }

    /// Runs a verb.
    func run(_ line: [String], output: ByteSink? = nil) async throws -> Ending {
        let recorded = RecordedSession()
        let verb = try #require(try KilnCommand.parseAsRoot(line) as? any Verb, "\(line)")
        let format: OutputFormat = verb.global.format
        let status = await verb.status(in: recorded.session(format, isQuiet: verb.global.quiet, in: world, output))
        return Ending(status: status, output: recorded.output, errors: recorded.errors)
    }
}

extension RecordedSession {
    fileprivate func session(
        _ format: OutputFormat,
        isQuiet: Bool,
        in world: FakeWorld,
        _ output: ByteSink? = nil
    ) -> Session {
        let plain = session(format, isQuiet: isQuiet)
        return Session(
            format: plain.format,
            terminal: plain.terminal,
            output: output ?? plain.output,
            errors: plain.errors,
            progress: plain.progress,
            open: { observer in
                let parts = world.parts {
                    observer($0)
                    plain.progress.take($0)
                }
                return Workspace(
                    connection: try HostConnection.resolve(option: nil, environment: [:], lab: nil),
                    state: world.state,
                    images: ImageStore(root: world.state.images),
                    engine: LabEngine(state: world.state, parts: parts),
                    parts: parts
                )
            }
        )
    }
}

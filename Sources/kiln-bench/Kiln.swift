import Foundation
import KilnModel
import Subprocess

/// The kiln program, in a home of its own.
struct Kiln: Sendable {
    let home: PrivateHome
    let program: Program

    init(_ path: String, home: PrivateHome) {
        self.home = home
        // No other hypervisor than the home's own daemon.
        let environment = Environment.inherit.updating(["KILN_HOME": home.path, "LIBVIRT_DEFAULT_URI": nil])
        program = Program(path, environment: environment, directory: home.path)
    }

    /// The same program in a home below this one's, with a store of its own that is empty.
    func apart(_ name: String) throws -> Kiln { Kiln(program.path, home: try home.inner(name)) }

    /// A lab and its server, which is called `web` where nothing else is said.
    struct Lab: Sendable {
        let name: String
        let file: String
        var serverName = "web"
        var server: String { "\(name)/\(serverName)" }
    }

    /// Writes the file of a lab of one server that counts as ready when its agent answers.
    func lab(_ name: String, image: StoredImage) throws -> Lab {
        let reference = "\(image.manifest.name):\(image.manifest.version)"
        let text = """
            kiln: 1
            name: \(name)
            lab:
              servers:
                web: { image: "\(reference)", ready: [agent] }

            """
        let lab = Lab(name: name, file: "\(home.path)/\(name).yaml")
        try Data(text.utf8).write(to: URL(fileURLWithPath: lab.file))
        return lab
    }

    /// Brings a lab up.
    func up(_ lab: Lab, within patience: Duration) async throws -> Duration {
        try await program.run(["up", "--quiet", "-f", lab.file], within: patience).took
    }

    /// Writes the file of a lab whose server has one volume and publishes its web server.
    func lab(_ name: String, image: StoredImage, port: UInt16, volume size: ByteCount) throws -> Lab {
        let reference = "\(image.manifest.name):\(image.manifest.version)"
        let text = """
            kiln: 1
            name: \(name)
            lab:
              volumes:
                data: { size: \(size), filesystem: ext4 }
              servers:
                web:
                  image: "\(reference)"
                  volumes: { data: /data }
                  ports: { http: { guest: 80, host: \(port) } }
                  ready: [cloud-init, { http: { port: http, path: /health } }]
                  warm-ready: [cloud-init, { http: { port: http, path: /health } }]

            """
        let lab = Lab(name: name, file: "\(home.path)/\(name).yaml")
        try Data(text.utf8).write(to: URL(fileURLWithPath: lab.file))
        return lab
    }

    /// Writes the file of a lab of servers `web-1` on, each with some small volumes.
    func crowdLab(_ name: String, image: StoredImage, servers: Int, volumes: Int) throws -> Lab {
        let reference = "\(image.manifest.name):\(image.manifest.version)"
        var text = "kiln: 1\nname: \(name)\nlab:\n  volumes:\n"
        for server in 1...servers {
            for volume in 1...volumes { text += "    v\(server)-\(volume): { size: 8MiB }\n" }
        }
        text += "  servers:\n"
        for server in 1...servers {
            let mounts = (1...volumes).map { "v\(server)-\($0): /data\($0)" }.joined(separator: ", ")
            text += "    web-\(server): { image: \"\(reference)\", volumes: { \(mounts) }, ready: [agent] }\n"
        }
        let lab = Lab(name: name, file: "\(home.path)/\(name).yaml")
        try Data(text.utf8).write(to: URL(fileURLWithPath: lab.file))
        return lab
    }

    /// Switches the machines of such a lab off.
    func stopAll(_ lab: Lab, servers: Int) async throws {
        for server in 1...servers {
            _ = try await program.run(
                ["stop", "--quiet", "--force", "\(lab.name)/web-\(server)"],
                within: .seconds(60)
            )
        }
    }

    /// Checks scenarios.
    func lint(_ files: [String]) async throws -> Duration {
        try await program.run(["scenario", "lint"] + files, within: .seconds(120)).took
    }

    /// Runs scenarios, some at a time.
    func runScenarios(_ files: [String], atOnce: Int = 1, within patience: Duration) async throws -> Duration {
        try await program.run(["run", "--quiet", "-j", "\(atOnce)"] + files, within: patience).took
    }

    /// Replaces the server of a lab.
    func replace(_ lab: Lab, by image: StoredImage, _ strategy: Strategy, within patience: Duration) async throws
        -> Duration
    {
        let reference = "\(image.manifest.name)@\(image.manifest.digest)"
        let arguments = ["replace", "--quiet", "--strategy", strategy.rawValue, "--image", reference, lab.server]
        return try await program.run(arguments, within: patience).took
    }

    /// Starts the server of a lab again.
    func start(_ lab: Lab, within patience: Duration) async throws {
        _ = try await program.run(["start", "--quiet", lab.server], within: patience)
    }

    /// Runs a verb on volumes.
    func volume(_ arguments: String...) async throws -> Duration {
        try await program.run(["volume"] + arguments, within: .seconds(60)).took
    }

    /// Runs a command in the guest of a lab.
    func execute(_ command: [String], in lab: Lab) async throws {
        let arguments = ["exec", "--quiet", "--timeout", "5m", lab.server, "--"] + command
        _ = try await program.run(arguments, within: .seconds(330))
    }

    /// What the guest and the journal say of a lab that was just brought up.
    func sample(_ lab: Lab, wall: Duration) async throws -> Sample {
        let stat = try await program.run(
            ["exec", "--quiet", lab.server, "--"] + Sample.agentStat,
            within: .seconds(60)
        )
        let steps = try await steps(of: lab)
        guard let healthy = steps["healthy"] else { throw Failure("the journal of \(lab.server) has no step healthy") }
        var sample = try Sample(wall: wall, host: wall - .milliseconds(healthy), agentStat: stat.output)
        sample.steps = steps
        return sample
    }

    /// The milliseconds of each step of the server's latest operation.
    func steps(of lab: Lab) async throws -> [String: Int] {
        let history = try await program.run(["history", "--format", "json", lab.server], within: .seconds(60)).output
        let operations = try JSONDecoder().decode(History.self, from: Data(history.utf8)).operations
        return Dictionary((operations.last?.steps ?? []).map { ($0.step, $0.milliseconds) }, uniquingKeysWith: +)
    }

    private struct History: Decodable {
        struct Operation: Decodable {
            struct Step: Decodable {
                let step: String
                let milliseconds: Int
            }
            let steps: [Step]
        }
        let operations: [Operation]
    }

    /// Switches the machine off; server and definition stay.
    func stop(_ lab: Lab) async throws {
        _ = try await program.run(["stop", "--quiet", "--force", lab.server], within: .seconds(60))
    }

    /// Removes a lab whose machine is off.
    func down(_ lab: Lab) async throws {
        _ = try await program.run(["down", "--quiet", lab.name], within: .seconds(60))
    }

    /// Lists the servers.
    func ps() async throws -> Duration { try await program.run(["ps"], within: .seconds(60)).took }

    /// Bakes a version of a recipe.
    func bake(_ recipe: RecipeCopy) async throws -> Duration {
        let arguments = ["--quiet", "--no-test", "--folder", recipe.folder, "--version", recipe.version, recipe.name]
        return try await program.run(["image", "bake"] + arguments, within: .seconds(1_800)).took
    }

    /// Tests an image.
    func test(_ image: String, within patience: Duration) async throws -> Duration {
        try await program.run(["image", "test", "--quiet", image], within: patience).took
    }

    /// Takes an image to the store of another home.
    func copy(_ image: String, to other: Kiln) async throws {
        let file = other.home.path + "/image.tar"
        _ = try await program.run(["image", "export", image, file], within: .seconds(120))
        _ = try await other.program.run(["image", "import", file], within: .seconds(120))
    }

    /// The processor of the machine that runs, from its QEMU's arguments.
    func processor() throws -> RawMachine.Processor {
        for process in home.processes() where process.name.hasPrefix("qemu-system") {
            func value(_ option: String) -> String? {
                let index = process.arguments.firstIndex(of: option).map { $0 + 1 }
                return index.flatMap { process.arguments.indices.contains($0) ? process.arguments[$0] : nil }
            }
            if let accelerator = value("-accel"), let model = value("-cpu"), let line = value("-append") {
                return RawMachine.Processor(
                    accelerator: accelerator,
                    model: model,
                    kernelFlags: line.split(separator: " ").map(String.init).filter { !$0.contains("=") }
                )
            }
        }
        throw Failure("no QEMU of kiln's was found after 'kiln up'")
    }
}

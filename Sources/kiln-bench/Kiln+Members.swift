import Foundation
import KilnModel

/// Servers with members.
extension Kiln {
    /// Writes the file of a lab whose server has three members with a volume each, behind one published port.
    func rolloutLab(_ name: String, image: StoredImage, port: UInt16, members: Int, unavailable: Int) throws -> Lab {
        let own = ["replicas: \(members)", "rollout: { max-unavailable: \(unavailable) }"]
        return try servedLab(name, image: image, port: port, own)
    }

    /// Writes the file of a lab whose server has a second member while each has more than `target` requests a second.
    func autoscaleLab(_ name: String, image: StoredImage, port: UInt16, target: Int) throws -> Lab {
        let cooldown = "\(Autoscaling.cooldown)s"
        let limits = "autoscale: { min: 1, max: 2, target: { requests: \(target) }, cooldown: \(cooldown) }"
        return try servedLab(name, image: image, port: port, ["replicas: 1", limits])
    }

    // The server's members have a volume each, and a web server behind one published port.
    private func servedLab(
        _ name: String,
        image: StoredImage,
        guest: UInt16 = 80,
        port: UInt16,
        _ own: [String]
    ) throws -> Lab {
        try write(
            name,
            """
              volumes:
                data: { size: 64MiB, filesystem: ext4 }
              servers:
                web:
                  image: "\(Benchmark.title(image))"
                  volumes: { data: /data }
                  ports: { http: { guest: \(guest), host: \(port) } }
                  ready: [agent, cloud-init, { http: { port: http, path: /health } }]
            """ + own.map { "\n      " + $0 }.joined()
        )
    }

    /// Writes the file of a lab whose server has one member with a volume.
    ///
    /// - Parameter source: what the volumes of others begin with.
    func scaleLab(_ name: String, image: StoredImage, volume size: ByteCount, from source: String) throws -> Lab {
        try write(
            name,
            """
              volumes:
                data: { size: \(size), filesystem: ext4 }
              servers:
                web:
                  image: "\(Benchmark.title(image))"
                  replicas: 1
                  volumes: { data: /data }
                  volume-from: \(source)
                  ready: [agent, cloud-init]
            """
        )
    }

    /// Writes the file of a lab whose server has members without volumes and ports.
    func bareLab(_ name: String, image: StoredImage, members: Int) throws -> Lab {
        try write(
            name,
            """
              servers:
                web: { image: "\(Benchmark.title(image))", replicas: \(members), ready: [agent] }
            """
        )
    }

    /// Writes the file of a lab of two servers: `web-1` behind a front, `web-2` with its port itself.
    func frontLab(_ name: String, image: StoredImage, front: UInt16, plain: UInt16) throws -> Lab {
        let server = [
            "image: \"\(Benchmark.title(image))\"",
            "ready: [agent, cloud-init, { http: { port: http, path: /health } }]",
        ].joined(separator: ", ")
        return try write(
            name,
            """
              servers:
                web-1: { \(server), ports: { http: { guest: 80, host: \(front) } }, hold: 10s }
                web-2: { \(server), ports: { http: { guest: 80, host: \(plain) } } }
            """
        )
    }

    /// Writes the file of a lab of one server with a volume, whose front lets requests wait; its service begins once that is mounted.
    func holdLab(_ name: String, image: StoredImage, port: UInt16) throws -> Lab {
        let own = ["hold: 90s", "after-attach: [{ run: [systemctl, start, notes] }]"]
        return try servedLab(name, image: image, guest: 8080, port: port, own)
    }

    /// How many members of a lab's server serve.
    func serving(_ lab: Lab) async throws -> Int {
        struct List: Decodable {
            struct Server: Decodable {
                let lab: String
                let state: String
                let generation: Int?
            }
            let servers: [Server]
        }
        let text = try await program.run(["ps", "--format", "json"], within: .seconds(60)).output
        return try JSONDecoder().decode(List.self, from: Data(text.utf8)).servers
            .count { $0.lab == lab.name && $0.state == "running" && $0.generation != nil }
    }

    /// Lets an autopilot look after a lab until this task is cancelled.
    func autopilot(_ lab: Lab) async throws {
        // Its output has files of its own: other commands run meanwhile.
        let own = Program(
            program.path,
            environment: program.environment,
            directory: try home.inner("autopilot-\(lab.name)").path
        )
        _ = try await own.run(["autopilot", lab.name], within: .seconds(3_600))
    }

    /// Writes the file of a lab, from what stands below its `lab`.
    func write(_ name: String, server: String = "web", _ text: String) throws -> Lab {
        let lab = Lab(name: name, file: "\(home.path)/\(name).yaml", serverName: server)
        try Data("kiln: 1\nname: \(name)\nlab:\n\(text)\n".utf8).write(to: URL(fileURLWithPath: lab.file))
        return lab
    }

    /// Brings a lab up, so many members of a server at once.
    func up(_ lab: Lab, atOnce jobs: Int, within patience: Duration) async throws -> Duration {
        try await program.run(["up", "--quiet", "-f", lab.file, "-j", "\(jobs)"], within: patience).took
    }

    /// Brings all members of a server to another image.
    func rollOut(_ lab: Lab, to image: StoredImage, within patience: Duration) async throws {
        let reference = "\(image.manifest.name)@\(image.manifest.digest)"
        _ = try await program.run(["replace", "--quiet", "--image", reference, lab.server], within: patience)
    }

    /// Lets a server have another number of members.
    func scale(_ lab: Lab, to members: Int, atOnce jobs: Int, within patience: Duration) async throws -> Duration {
        try await program.run(["scale", "--quiet", "-j", "\(jobs)", lab.server, "\(members)"], within: patience).took
    }

    /// Runs a command in one member's guest.
    ///
    /// - Returns: what it writes to standard output.
    func execute(_ command: [String], in lab: Lab, member: Int) async throws -> String {
        let arguments = ["exec", "--quiet", "--timeout", "5m", "\(lab.server).\(member)", "--"] + command
        return try await program.run(arguments, within: .seconds(330)).output
    }

    /// Removes for good all volumes that were retained.
    func purgeRetained() async throws {
        struct List: Decodable { let retained: [String] }
        let text = try await program.run(["volume", "list", "--retained", "--format", "json"], within: .seconds(60))
            .output
        for volume in try JSONDecoder().decode(List.self, from: Data(text.utf8)).retained {
            _ = try await program.run(["volume", "purge", "--quiet", "--yes", volume], within: .seconds(60))
        }
    }
}

import Foundation
import Glibc
import KilnModel
import Testing

/// A lab of a test: its file, its name, and what is asked about its only server.
struct Lab: Sendable {
    let home: Home
    let name: String
    let file: String

    /// The server, as a user names it.
    var web: String { "\(name)/web" }

    /// The directory in which kiln keeps what it knows of the lab.
    var directory: String { "\(home.path)/labs/\(name)" }

    /// Writes the file anew, with these server fields.
    func write(_ server: String) throws {
        let text = """
            kiln: 1
            name: \(name)
            lab:
              volumes:
                data: { size: 64MiB, filesystem: ext4 }
              servers:
                web:
            \(server.split(separator: "\n").map { "      \($0)" }.joined(separator: "\n"))

            """
        try Data(text.utf8).write(to: URL(fileURLWithPath: file))
    }

    /// Declares the server otherwise than it runs; the next replacement makes it so.
    func declare(_ server: String) async throws {
        try write(server)
        try await upOrFail()
    }

    func up() async throws -> Finished { try await home.run("up", "-f", file) }

    /// Brings the lab up, or ends the test.
    func upOrFail() async throws {
        let result = try await up()
        try #require(result.status == 0, "\(result.errors)")
    }

    func replace(_ image: String, failpoint: String? = nil) async throws -> Finished {
        try await home.run("replace", web, "--image", image, failpoint: failpoint)
    }

    /// Starts a replacement that stops itself at a failpoint, and waits until it has.
    func replacement(by image: String, stoppingAt failpoint: String) async throws -> Command {
        let command = try home.start(["replace", web, "--image", image], failpoint: "\(failpoint)=stop")
        try await command.awaitStop()
        return command
    }

    /// Runs a shell command in the guest, which has to succeed, and returns its output without the last newline.
    @discardableResult
    func shell(_ script: String) async throws -> String {
        // Debian under emulation, beside other guests, takes more than a minute to end its cloud-init.
        let result = try await home.run("exec", "--timeout", "5m", web, "--", "sh", "-c", script)
        try #require(result.status == 0, "\(script): \(result.status) \(result.errors)")
        return result.text.trimmingCharacters(in: .newlines)
    }

    func status() async throws -> ServerReport {
        let list = try await home.run("ps", "--format", "json").json(ServerListReport.self)
        return try #require(list.servers.first { $0.lab == name })
    }

    func history() async throws -> HistoryReport {
        try await home.run("history", web, "--format", "json").json(HistoryReport.self)
    }

    func volume() async throws -> VolumeReport {
        let list = try await home.run("volume", "list", "--format", "json").json(VolumeListReport.self)
        return try #require(list.volumes.first { $0.lab == name })
    }

    /// The machines of this lab.
    var machines: [Int32] { Processes.matching("qemu-system", "guest=kiln.\(name).", home.path + "/") }

    /// The generations of the server that still have a root overlay or a seed.
    var artefacts: [String] {
        let all = FileManager.default.enumerator(atPath: directory)?.compactMap { $0 as? String } ?? []
        return all.filter { $0.hasSuffix(".qcow2") || $0.hasSuffix(".iso") }.sorted()
    }

    /// The file name of the layer of the volume that is written to.
    var activeLayer: String {
        get throws {
            struct Record: Decodable { let layers: [String] }
            let data = try Data(contentsOf: URL(fileURLWithPath: "\(home.path)/volumes/\(name)/data/volume.json"))
            return try #require(try JSONDecoder().decode(Record.self, from: data).layers.last)
        }
    }

    /// The permission bits of a file below the lab's directory.
    func mode(_ file: String) -> mode_t {
        var found = stat()
        return stat("\(directory)/\(file)", &found) == 0 ? found.st_mode & 0o777 : 0
    }

    /// That exactly one machine serves, of this generation, with nothing of any other left.
    func expectOnly(generation: Int, sourceLocation: SourceLocation = #_sourceLocation) async throws {
        let status = try await status()
        #expect(status.generation == generation, sourceLocation: sourceLocation)
        #expect(status.state == "running", sourceLocation: sourceLocation)
        #expect(status.operation == nil && !status.halted, sourceLocation: sourceLocation)
        #expect(machines.count == 1, sourceLocation: sourceLocation)
        let own = "servers/web/generations/\(generation)/root.qcow2"
        #expect(artefacts.contains(own), sourceLocation: sourceLocation)
        // The last root that another generation had is kept to be looked at, for nobody but its owner.
        let others = artefacts.filter { $0 != own }
        #expect(others.allSatisfy { $0.hasSuffix("root.qcow2") } && others.count <= 1, sourceLocation: sourceLocation)
        for other in others { #expect(mode(other) == 0o600, "\(other)", sourceLocation: sourceLocation) }
    }
}

extension Home {
    /// Gives `body` a lab with these server fields and a volume `data`, and sees that nothing of it is left afterwards.
    ///
    /// Where `body` throws, what helps to understand it is copied away first.
    func withLab(
        _ prefix: String,
        server: String = Home.plainServer,
        _ body: (Lab) async throws -> Void
    ) async throws {
        let name = "\(prefix)-\(String(UInt16.random(in: .min ... .max), radix: 36))x"
        let file = "\(path)/\(name).yaml"
        let lab = Lab(home: self, name: name, file: file)
        try lab.write(server)
        let start = ContinuousClock.now
        do {
            try await body(lab)
        } catch {
            // Where the test's time is up its task is cancelled, and what it started would stay.
            _ = await Task {
                try? await keepEvidence(of: lab, error)
                try? await end(lab)
            }.value
            throw error
        }
        try await end(lab)
        print("\(prefix): \((ContinuousClock.now - start).formatted(.units(allowed: [.seconds])))")
    }

    /// The fields of a server that most tests are content with.
    static let plainServer = """
        image: tiny:1
        volumes: { data: /data }
        ports: { http: 80 }
        ready: [cloud-init, { http: { port: http, path: /health } }]
        stop-timeout: 60s
        """

    private func end(_ lab: Lab) async throws {
        let ports = try await run("ps", "--format", "json").json(ServerListReport.self).servers
            .filter { $0.lab == lab.name }.flatMap { $0.ports.values.map(\.host) }
        if FileManager.default.fileExists(atPath: lab.directory) {
            let down = try await run("down", lab.name)
            #expect(down.status == 0, "\(down.errors)")
        }
        #expect(lab.machines.isEmpty)
        #expect(lab.artefacts.isEmpty)
        #expect(ports.filter { Processes.isListening($0) }.isEmpty)
        let sockets = try FileManager.default.contentsOfDirectory(atPath: path + "/sockets")
        #expect(sockets.isEmpty)
        let volumes = try await run("volume", "list", "--format", "json").json(VolumeListReport.self)
        for volume in volumes.volumes where volume.lab == lab.name {
            #expect(volume.holder == nil)
            let deletion = try await run("volume", "delete", "\(lab.name)/\(volume.name)", "--yes")
            #expect(deletion.status == 0, "\(deletion.errors)")
        }
        for name in try await run("volume", "list", "--format", "json").json(VolumeListReport.self).retained {
            _ = try await run("volume", "delete", "--purge", name, "--yes")
        }
    }

    private func keepEvidence(of lab: Lab, _ error: any Error) async throws {
        let parent =
            ProcessInfo.processInfo.environment["KILN_TEST_EVIDENCE"]
            ?? FileManager.default.temporaryDirectory.appendingPathComponent("kiln-e2e-evidence").path
        let target = "\(parent)/\(lab.name)"
        try? FileManager.default.createDirectory(atPath: parent, withIntermediateDirectories: true)
        try? FileManager.default.createDirectory(atPath: target, withIntermediateDirectories: true)
        for name in ["servers", "lab.json", "ports.json"] {
            try? FileManager.default.copyItem(atPath: "\(lab.directory)/\(name)", toPath: "\(target)/\(name)")
        }
        // What QEMU said last, which a machine that is gone tells nowhere else.
        try? FileManager.default.copyItem(atPath: "\(path)/daemon/cache/libvirt/qemu/log", toPath: "\(target)/qemu")
        for overlay in lab.artefacts { try? FileManager.default.removeItem(atPath: "\(target)/\(overlay)") }
        print("\(lab.name) failed: \(error)\nits console logs, QEMU's and its journal are kept in \(target)")
    }
}

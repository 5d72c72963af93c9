import Foundation
import Glibc
import KilnModel
import KilnSystem

/// openssl's server on a port of 127.0.0.1, which answers every request over TLS with 200.
///
/// Only its beginning and its end touch the process.
final class TLSServer: @unchecked Sendable {
    let port: UInt16
    private let process = Process()

    /// A server with a certificate of ``TestCertificates``.
    static func start(certificate: String) async throws -> TLSServer {
        try await BlockingWork.run { try TLSServer(certificate: certificate) }
    }

    private init(certificate: String) throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "kiln-tls-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = folder.appending(path: "server.pem")
        try Data((certificate + TestCertificates.key).utf8).write(to: file)
        let output = Pipe()
        process.executableURL = URL(filePath: "/usr/bin/openssl")
        process.arguments = ["s_server", "-accept", "127.0.0.1:0", "-www", "-cert", file.path, "-key", file.path]
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        process.standardInput = FileHandle.nullDevice
        try process.run()
        // Its port, once it has read its files: ACCEPT 127.0.0.1:35513
        var said = ""
        while !said.contains("ACCEPT ") || !said.hasSuffix("\n") {
            let data = output.fileHandleForReading.availableData
            guard !data.isEmpty else { throw KilnError("test.no-tls", "openssl ended: \(said)") }
            said += String(decoding: data, as: UTF8.self)
        }
        guard let port = said.split(whereSeparator: { ":\n".contains($0) }).compactMap({ UInt16($0) }).last else {
            throw KilnError("test.no-tls", "openssl says no port: \(said)")
        }
        self.port = port
    }

    // It begins with the blocked signals of the thread that starts it, so a request to end may never reach it.
    deinit { kill(process.processIdentifier, SIGKILL) }
}

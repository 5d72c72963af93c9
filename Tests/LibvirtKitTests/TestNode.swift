import Foundation

@testable import LibvirtKit

/// A private hypervisor of libvirt's test driver: a node file of its own with one running and one stopped domain.
struct TestNode: ~Copyable {
    let folder: URL
    var uri: String { "test://\(folder.path)/node.xml" }

    init() throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "libvirtkit-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let node = """
            <node>
              <domain type='test'>
                <name>seeded</name>
                <memory>8192</memory>
                <os><type>hvm</type></os>
              </domain>
            </node>
            """
        try Data(node.utf8).write(to: folder.appending(path: "node.xml"))
    }

    deinit {
        try? FileManager.default.removeItem(at: folder)
    }

    /// The XML of a domain that the test driver accepts.
    static func domain(_ name: String) -> String {
        "<domain type='test'><name>\(name)</name><memory>8192</memory><os><type>hvm</type></os></domain>"
    }

    /// Runs a body against a connection of its own and closes it: a leak fails the test.
    static func connected(_ body: (LibvirtConnection) async throws -> Void) async throws {
        let node = try TestNode()
        let connection = try await LibvirtConnection.open(node.uri)
        do {
            try await body(connection)
        } catch {
            try? await connection.close()
            throw error
        }
        try await connection.close()
    }
}

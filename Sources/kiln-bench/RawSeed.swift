import Foundation
import KilnModel

/// The texts of the seed of a raw machine, which say what kiln's say: name, network and, where the image has SSH, keys,
/// without which the guest would spend its time on making some.
struct RawSeed: Sendable {
    let image: StoredImage
    let instance: String
    let mac: String
    /// What is to be mounted, as cloud-init wants it.
    var mounts: [[String]] = []

    /// Writes them into a new directory.
    func write(to tree: String) async throws {
        try FileManager.default.createDirectory(atPath: tree, withIntermediateDirectories: false)
        let card: JSONValue = .object([
            "match": .object(["macaddress": .string(mac)]), "dhcp4": .bool(true),
        ])
        var user = image.manifest.ssh ? try await keys(beside: tree) : [:]
        if !mounts.isEmpty { user["mounts"] = .array(mounts.map { .array($0.map { .string($0) }) }) }
        try write(
            .object(["instance-id": .string(instance), "local-hostname": .string("web")]),
            to: tree + "/meta-data"
        )
        try write(.object(user), to: tree + "/user-data", after: "#cloud-config\n")
        try write(
            .object(["version": .int(2), "ethernets": .object(["nic0": card])]),
            to: tree + "/network-config"
        )
    }

    private func keys(beside tree: String) async throws -> [String: JSONValue] {
        let path = tree + ".key"
        let directory = URL(fileURLWithPath: tree).deletingLastPathComponent().path
        _ = try await Program(try Program.find("ssh-keygen"), directory: directory)
            .run(["-q", "-t", "ed25519", "-N", "", "-C", "bench", "-f", path], within: .seconds(30))
        let secret = try String(contentsOfFile: path, encoding: .utf8)
        let open = try String(contentsOfFile: path + ".pub", encoding: .utf8)
        return [
            "disable_root": .bool(false),
            "ssh_authorized_keys": .array([.string(open.trimmingCharacters(in: .whitespacesAndNewlines))]),
            "ssh_keys": .object(["ed25519_private": .string(secret), "ed25519_public": .string(open)]),
        ]
    }

    private func write(_ value: JSONValue, to path: String, after header: String = "") throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes, .prettyPrinted]
        try (Data(header.utf8) + encoder.encode(value)).write(to: URL(fileURLWithPath: path))
    }
}

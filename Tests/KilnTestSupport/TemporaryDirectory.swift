import Foundation
import Glibc

/// Keeps a child that ends early, or a peer that hangs up, from ending all tests with it (SIGPIPE), as kiln's own main does.
///
/// It is a handler and not SIG_IGN, which children would inherit.
public let brokenPipesAreErrors: Void = { signal(SIGPIPE) { _ in } }()

/// A new directory that goes with this object.
public final class TemporaryDirectory: Sendable {
    /// Its path.
    public let path: String

    /// Makes it.
    public init() throws {
        _ = brokenPipesAreErrors
        path = FileManager.default.temporaryDirectory.path + "/kiln-test-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// Writes a file, in folders that are made, and returns its path.
    public func file(_ name: String, _ bytes: [UInt8]) throws -> String {
        let target = URL(fileURLWithPath: "\(path)/\(name)")
        try FileManager.default.createDirectory(
            at: target.deletingLastPathComponent(),
            withIntermediateDirectories: true
        )
        try Data(bytes).write(to: target)
        return target.path
    }
}

import Foundation
import Glibc
import KilnTestSupport

/// A directory for one test, removed at the end of its life.
final class TestDirectory: Sendable {
    let path: String

    init() throws {
        _ = brokenPipesAreErrors
        path = FileManager.default.temporaryDirectory.path + "/kiln-host-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// The names in it.
    var names: [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted()
    }

    /// The mode of a file in it, in octal.
    func mode(_ name: String) -> String? {
        var found = stat()
        guard stat(path + "/" + name, &found) == 0 else { return nil }
        return String(found.st_mode & 0o777, radix: 8)
    }
}

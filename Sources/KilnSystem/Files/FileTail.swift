import Foundation

/// The end of a file that others write, who may be hostile.
public enum FileTail {
    /// Its last bytes, as many as there are; nothing where there is no regular file that can be read.
    ///
    /// A link is not followed, and nothing is waited for, whatever lies there.
    public static func read(_ path: String, atMost limit: Int) -> Data? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY)
        guard descriptor >= 0 else { return nil }
        let file = OpenFile(owning: descriptor, path: path)
        guard let isRegular = try? file.isRegular, isRegular, let size = try? file.size else { return nil }
        var bytes = Data(count: min(size, limit))
        let start = size - bytes.count
        guard let count = try? bytes.withUnsafeMutableBytes({ try file.read(into: $0, at: start) }) else { return nil }
        return bytes.prefix(count)
    }
}

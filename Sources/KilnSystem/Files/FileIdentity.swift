import Foundation

/// Which file a path leads to.
public enum FileIdentity {
    /// Whether two paths lead to one file; of what is not there, whether they are spelled alike.
    public static func areSame(_ one: String, _ other: String) -> Bool {
        if one == other { return true }
        var (first, second) = (stat(), stat())
        guard stat(one, &first) == 0, stat(other, &second) == 0 else { return false }
        return first.st_dev == second.st_dev && first.st_ino == second.st_ino
    }
}

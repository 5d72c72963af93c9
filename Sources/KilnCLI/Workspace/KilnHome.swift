import Foundation
import KilnHost

/// Where Kiln keeps its state.
enum KilnHome {
    /// The directory: `KILN_HOME`; for root `/var/lib/kiln`; else `kiln` below XDG_STATE_HOME.
    static func path(environment: [String: String], isRoot: Bool) -> String {
        if let home = environment["KILN_HOME"], !home.isEmpty {
            return URL(fileURLWithPath: home).standardizedFileURL.path
        }
        if isRoot { return "/var/lib/kiln" }
        // The XDG specification: a path that isn't absolute is to be ignored.
        if let state = environment["XDG_STATE_HOME"], state.hasPrefix("/") { return state + "/kiln" }
        return (environment["HOME"] ?? NSHomeDirectory()) + "/.local/state/kiln"
    }

    /// The directory of this process.
    static var current: String { path(environment: ProcessInfo.processInfo.environment, isRoot: geteuid() == 0) }
}

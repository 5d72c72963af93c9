import Foundation
import Glibc
import Testing

/// A KILN_HOME of a test's own, with the images of this host's store, and the program to use it by.
struct Home: Sendable {
    /// The directory.
    let path: String
    /// What is added to every command line.
    var options: [String] = []
    /// The user who runs kiln, if it isn't the one who runs the tests.
    var user: String?

    /// The program that the tests were built with: it lies beside the test bundle.
    static let kiln: String? = {
        guard let own = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe") else { return nil }
        let path = URL(fileURLWithPath: own).deletingLastPathComponent().appendingPathComponent("kiln").path
        return FileManager.default.isExecutableFile(atPath: path) ? path : nil
    }()

    /// The checkout that the tests belong to.
    static let checkout = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().path

    /// Whether this host has what machines take.
    static var isPossible: Bool {
        kiln != nil && ["/usr/sbin/libvirtd", "/usr/bin/qemu-system-x86_64"].allSatisfy { access($0, X_OK) == 0 }
            && (geteuid() != 0 || getpwnam("kiln") != nil)
    }

    /// An empty home.
    init(_ path: String) throws {
        self.path = path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        // The user who runs root's machines has to pass.
        chmod(path, 0o755)
    }

    /// A home with tiny:1 and tiny:2, taken from the default store where it has them, else baked.
    static func withImages(_ path: String) async throws -> Home {
        let home = try Home(path)
        try await home.takeImages(linking: true)
        return home
    }

    /// A name for a directory that nobody has.
    static func freshPath() -> String {
        let random = String(UInt32.random(in: .min ... .max), radix: 36)
        return FileManager.default.temporaryDirectory.appendingPathComponent("kiln-e2e-\(random)").path
    }

    /// Copies the images of the default store, as further names of the same sealed files where that is possible.
    func takeImages(linking: Bool) async throws {
        let store = Home.defaultStore
        if FileManager.default.fileExists(atPath: store + "/names/tiny") {
            let arguments = (linking ? ["-al"] : ["-a"]) + [store, path + "/images"]
            let environment = ["PATH": "/usr/bin:/bin"]
            if try await Command("/bin/cp", arguments, environment: environment).finish().status != 0 {
                try? FileManager.default.removeItem(atPath: path + "/images")
                let copy = ["-a", store, path + "/images"]
                _ = try await Command("/bin/cp", copy, environment: environment).finish()
            }
        }
        let list = try await run("image", "list").text
        if !list.contains("tiny:1") || !list.contains("tiny:2") {
            let bake = try await run("image", "bake", "tiny")
            try #require(bake.status == 0, "\(bake.errors)")
        }
    }

    private static var defaultStore: String {
        let environment = ProcessInfo.processInfo.environment
        if let home = environment["KILN_HOME"], !home.isEmpty { return home + "/images" }
        if geteuid() == 0 { return "/var/lib/kiln/images" }
        return (environment["XDG_STATE_HOME"] ?? (environment["HOME"] ?? "") + "/.local/state") + "/kiln/images"
    }

    /// Runs kiln to its end.
    func run(_ arguments: String..., failpoint: String? = nil, input: String = "") async throws -> Finished {
        try await run(arguments, failpoint: failpoint, input: input)
    }

    /// Runs kiln to its end.
    func run(_ arguments: [String], failpoint: String? = nil, input: String = "") async throws -> Finished {
        try await start(arguments, failpoint: failpoint, input: input).finish()
    }

    /// Starts kiln.
    func start(_ arguments: [String], failpoint: String? = nil, input: String = "") throws -> Command {
        var environment = ["PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8", "KILN_HOME": path, "HOME": path]
        environment["KILN_FAILPOINT"] = failpoint
        var line = [try #require(Home.kiln)] + arguments.prefix(1) + options + arguments.dropFirst()
        if let user {
            environment["XDG_RUNTIME_DIR"] = path + "/run"
            line = ["/usr/sbin/runuser", "-u", user, "--"] + line
        }
        return try Command(line[0], Array(line.dropFirst()), environment: environment, input: input)
    }

    /// The machines whose disks lie in this home.
    var machines: [Int32] { Processes.matching("qemu-system", path + "/") }

    /// Ends the daemon of this home, whose machines are gone, and removes the home.
    func remove() async throws {
        for pid in Processes.matching("__daemon", path + "/daemon") + daemons { kill(pid, SIGTERM) }
        try await eventually("the daemon of \(path) has ended") {
            Processes.matching("__daemon", path + "/daemon").isEmpty && daemons.isEmpty
        }
        try? FileManager.default.removeItem(atPath: path)
    }

    /// The libvirt daemons of this home, which don't name it on their command line.
    var daemons: [Int32] {
        Processes.matching("libvirtd").filter { pid in
            let bytes = (try? Data(contentsOf: URL(fileURLWithPath: "/proc/\(pid)/environ"))) ?? Data()
            return String(decoding: bytes, as: UTF8.self).contains("HOME=\(path)/")
        }
    }
}

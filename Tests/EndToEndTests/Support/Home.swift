import Foundation
import Glibc
import Testing

/// A KILN_HOME of a test's own, with the images of this host's store, and the program to use it by.
struct Home: Sendable {
    /// The directory.
    let path: String
    /// What is added to every command line.
    var options: [String] = []
    /// What runs kiln as another user, or in another place.
    var prefix: [String] = []

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
        let programs: [String] = ["/usr/sbin/libvirtd", "/usr/bin/qemu-system-x86_64"]
        return kiln != nil && programs.allSatisfy { access($0, X_OK) == 0 }
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

    /// Takes versions 1 and 2 of an image from the default store, as further names of the same sealed files where
    /// `linking` says so and the file systems allow it; bakes them where that store hasn't got them.
    func takeImages(_ name: String = "tiny", linking: Bool) async throws {
        let (store, own) = (Home.defaultStore, path + "/images")
        let names = try? FileManager.default.contentsOfDirectory(atPath: "\(store)/names/\(name)")
        if let names {
            let digests = try names.map { version in
                try String(contentsOfFile: "\(store)/names/\(name)/\(version)", encoding: .utf8)
                    .trimmingCharacters(in: .newlines).replacingOccurrences(of: "sha256:", with: "")
            }
            try await tool("/bin/mkdir", "-p", own + "/names", own + "/sha256")
            try await tool("/bin/cp", "-r", "\(store)/names/\(name)", "\(own)/names/\(name)")
            for digest in Set(digests) {
                let (source, target) = ("\(store)/sha256/\(digest)", "\(own)/sha256/\(digest)")
                if linking, try await attempt("/bin/cp", "-al", source, target) == 0 { continue }
                _ = try await attempt("/bin/rm", "-rf", target)
                try await tool("/bin/cp", "-r", "--preserve=mode,timestamps", source, target)
            }
        }
        let list = try await run("image", "list").text
        if !list.contains("\(name):1") || !list.contains("\(name):2") {
            let bake = try await run("image", "bake", "--no-test", "\(Home.checkout)/Images/\(name)")
            try #require(bake.status == 0, "\(bake.errors)")
        }
    }

    /// Runs another program as kiln would be run; returns its exit status.
    func attempt(_ line: String...) async throws -> Int32 { try await attempt(line) }

    private func attempt(_ line: [String]) async throws -> Int32 {
        let full = prefix + line
        return try await Command(full[0], Array(full.dropFirst()), environment: ["PATH": "/usr/bin:/bin"]).finish()
            .status
    }

    /// Runs another program as kiln would be run, which has to succeed.
    func tool(_ line: String...) async throws {
        let status = try await attempt(line)
        try #require(status == 0, "\(line)")
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
        environment["XDG_RUNTIME_DIR"] = path + "/run"
        let own = arguments.prefix { $0 != "--" }
        let line = prefix + [try #require(Home.kiln)] + own + options + arguments.dropFirst(own.count)
        return try Command(line[0], Array(line.dropFirst()), environment: environment, input: input)
    }

    /// Runs kiln to its end on a terminal of its own, at which `typed` was typed before; what the terminal shows is its output.
    func runOnTerminal(_ arguments: String..., typed: String) async throws -> Finished {
        let words = [try #require(Home.kiln)] + arguments + options
        let command = words.map { "'\($0)'" }.joined(separator: " ")
        let line = prefix + ["/usr/bin/script", "--quiet", "--return", "--command", command, "/dev/null"]
        let environment = [
            "PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8", "KILN_HOME": path, "HOME": path,
            "XDG_RUNTIME_DIR": path + "/run", "SHELL": "/bin/sh", "TERM": "xterm",
        ]
        return try await Command(line[0], Array(line.dropFirst()), environment: environment, input: typed).finish()
    }

    /// The machines whose disks lie in this home.
    var machines: [Int32] { Processes.matching("qemu-system", path + "/") }

    /// Ends the daemon of this home, and removes the home.
    func remove() async throws {
        let names = names
        let all = { names.flatMap { Processes.matching("__daemon", $0 + "/daemon") } + daemons }
        for pid in all() { kill(pid, SIGTERM) }
        try await eventually("the daemon of \(path) has ended") { all().isEmpty }
        // Of a command that took too long, and was killed. All others are gone by now.
        for pid in machines { kill(pid, SIGKILL) }
        for name in names { try? FileManager.default.removeItem(atPath: name) }
    }

    /// The libvirt daemons of this home, which name it in their environment only.
    var daemons: [Int32] {
        let names = names
        return (Processes.matching("libvirtd") + Processes.matching("virtlogd")).filter { pid in
            let bytes = (try? Data(contentsOf: URL(fileURLWithPath: "/proc/\(pid)/environ"))) ?? Data()
            let environment = String(decoding: bytes, as: UTF8.self)
            return names.contains { environment.contains("XDG_RUNTIME_DIR=\($0)/") }
        }
    }

    /// The home's path and the short names that kiln has given it.
    private var names: [String] {
        let manager = FileManager.default
        let places = ((try? manager.contentsOfDirectory(atPath: "/tmp")) ?? []).filter { $0.hasPrefix("kiln-") }
        let links = places.flatMap { place in
            ((try? manager.contentsOfDirectory(atPath: "/tmp/\(place)")) ?? []).map { "/tmp/\(place)/\($0)" }
        }
        return links.filter { (try? manager.destinationOfSymbolicLink(atPath: $0)) == path } + [path]
    }
}

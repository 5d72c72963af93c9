import Foundation
import KilnOutside
import Testing

@testable import kiln_hosts

@Suite("The package and CI")
struct PackageTests {
    @Test("the package is installed before all checks of it, and purged after them; a program alone has none of them")
    func checks() {
        func names(_ kind: Account.Kind, only: [String] = [], isOfPackage: Bool = true) -> [String] {
            Plan(only: only, quick: false, boots: 0, isOfPackage: isOfPackage).checks(as: kind).map(\.name)
        }
        #expect(names(.root).first == "install" && names(.person).last == "purge")
        #expect(Set(names(.root)).isSuperset(of: ["actions", "upgrade", "bake", "leftovers"]))
        #expect(names(.root, only: ["drift"]) == ["install", "bake", "drift"])
        #expect(names(.person, only: ["purge"]) == ["purge"] && names(.root, only: ["purge"]) == ["install"])
        let alone = Account.Kind.allCases.flatMap { names($0, isOfPackage: false) }
        #expect(Set(alone).isDisjoint(with: ["install", "actions", "upgrade", "purge"]))
    }

    @Test("a bare root and one with all that kiln needs are cached beside each other")
    func roots() {
        let place = HostPlace(path: "/place")
        let bare = HostRoot(suite: "trixie", kind: .bare, place: place)
        let equipped = HostRoot(suite: "trixie", place: place)
        #expect(bare.path != equipped.path && !bare.path.hasPrefix("/place/roots/trixie-"))
        #expect(!bare.packages.contains("qemu-system-x86") && equipped.packages.contains("qemu-system-x86"))
    }

    @Test(
        "the key of CI's images changes with what recipes hold and who may run it, and with the choice, and with nothing else"
    )
    func key() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "kiln-key-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        let recipes = folder.appending(path: "recipes/tiny")
        try FileManager.default.createDirectory(at: recipes, withIntermediateDirectories: true)
        let program = recipes.appending(path: "assemble.sh").path
        try Data("one".utf8).write(to: URL(filePath: program))
        func key(_ names: String = "a b") throws -> String {
            let output = folder.appending(path: "output").path
            unlink(output)
            let step = URL(filePath: #filePath).appending(path: "../../../.github/actions/setup-kiln/cache.sh")
                .standardized
            let environment = Child.environment.merging(["GITHUB_OUTPUT": output, "HOME": folder.path]) { $1 }
            let line = [step.path, folder.path + "/recipes", names]
            let end = try Child(line, environment: environment, directory: folder.path).finish(within: .seconds(30))
            try #require(end.status == 0, "\(end.errors)")
            let text = try String(contentsOfFile: output, encoding: .utf8)
            return try #require(text.split(separator: "\n").first { $0.hasPrefix("key=") }).description
        }
        let first = try key()
        chmod(program, 0o600)
        utimes(program, [timeval(tv_sec: 1, tv_usec: 0), timeval(tv_sec: 1, tv_usec: 0)])
        #expect(try key("b  a") == first)
        chmod(program, 0o700)
        let runnable = try key()
        try Data("two".utf8).write(to: URL(filePath: program))
        #expect(try Set([first, runnable, key(), key("a")]).count == 4)
    }

    @Test(
        "on a runner without Debian's archives mirrors are named to the steps after it, with Debian's keys installed; else nothing is",
        arguments: [("Ubuntu", "KILN_DEBIAN_MIRROR=http://a.example http://b.example\n", 1), ("Debian", "", 0)]
    )
    func archives(origin: String, told: String, installations: Int) throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "kiln-archives-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let fakes = [
            "apt-get": #"[ "$1" = indextargets ] && echo \#(origin) || echo "$@" >>"$CALLS""#, "sudo": #"exec "$@""#,
        ]
        for (name, line) in fakes {
            let path = folder.appending(path: name).path
            // By another process: a file that this one wrote may still be open in a child of another test, and can't be run then.
            let write = #"printf '%s\n' '#!/bin/sh' "$2" > "$1" && chmod 755 "$1""#
            let written = try Child(
                ["/bin/sh", "-c", write, "sh", path, line],
                environment: Child.environment,
                directory: folder.path
            ).finish(within: .seconds(30))
            try #require(written.status == 0, "\(written.errors)")
        }
        let (calls, output) = (folder.path + "/calls", folder.path + "/output")
        try Data().write(to: URL(filePath: output))
        let step = URL(filePath: #filePath).appending(path: "../../../.github/actions/setup-kiln/archives.sh")
            .standardized
        let path = "\(folder.path):\(Child.environment["PATH"] ?? "/usr/bin:/bin")"
        let environment = Child.environment.merging(["GITHUB_ENV": output, "CALLS": calls, "PATH": path]) { $1 }
        let line = [step.path, "http://a.example\n http://b.example\n"]
        let end = try Child(line, environment: environment, directory: folder.path).finish(within: .seconds(30))
        try #require(end.status == 0, "\(end.errors)")
        #expect(try String(contentsOfFile: output, encoding: .utf8) == told)
        let installed = try String(contentsOfFile: calls, encoding: .utf8).split(separator: "\n")
            .filter { $0.contains("install") && $0.contains("debian-archive-keyring") }
        #expect(installed.count == installations)
    }
}

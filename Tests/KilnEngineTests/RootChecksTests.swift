import Foundation
import KilnModel
import KilnTestSupport
import Testing

@testable import KilnEngine

@Suite("What files tell without a machine")
struct RootChecksTests {
    private let directory: TemporaryDirectory
    private let outside: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory()
        outside = try TemporaryDirectory()
        _ = try directory.file(
            "etc/passwd",
            Array("root:x:0:0:root:/root:/bin/bash\nweb:x:5000:5000::/srv:/bin/false\nx:y\n".utf8)
        )
        _ = try directory.file("etc/group", Array("root:x:0:\nweb:x:5000:\nadm:x:4:web,syslog\n".utf8))
        _ = try directory.file("etc/motd", Array("Welcome\nto the test\n".utf8))
        chmod(directory.path + "/etc/motd", 0o4750)
        symlink("motd", directory.path + "/etc/link")
        symlink("/etc", directory.path + "/absolute")
        symlink("../../../../../../etc", directory.path + "/climbing")
        symlink(outside.path, directory.path + "/out")
        symlink("loop", directory.path + "/loop")
        mkfifo(directory.path + "/fifo", 0o600)
        _ = try outside.file("secret", Array("secret".utf8))
    }

    private var checks: RootChecks { RootChecks(FolderRoot(directory.path)) }

    private func path(_ text: String) throws -> RootPath { try #require(RootPath(written: text)) }

    private func outcomes(_ resource: GuestResource) async -> [String: Assertion.Outcome] {
        let found = await checks.assertions(Check(.resource(resource), timeout: .seconds(300)))
        #expect(!found.isEmpty && found.allSatisfy { $0.place == .offline })
        return Dictionary(found.map { ($0.subject, $0.outcome) }, uniquingKeysWith: { first, _ in first })
    }

    private func outcomes(_ text: String, _ edit: (inout FileResource) throws -> Void) async throws -> [String] {
        var file = FileResource(path: try path(text))
        try edit(&file)
        let found = await checks.assertions(Check(.resource(.file(file)), timeout: .seconds(300)))
        return found.filter { $0.outcome != .passed }.map { $0.subject.replacing("file \(text): ", with: "") }
    }

    @Test("a file is as it is described, or each attribute that is not is named")
    func files() async throws {
        #expect(
            try await outcomes("/etc/motd") { file in
                file.type = .file
                file.mode = 0o4750
                file.size = NumberCondition(20)
                file.owner = try TextPattern(getuid() == 0 ? "root" : "\(getuid())")
                file.contents = [try TextPattern("/^to the/"), try TextPattern("!evil")]
                file.sha256 = ImageDigest(String(repeating: "0", count: 64))
            } == ["sha256"]
        )
        #expect(
            try await outcomes("/etc/motd") { file in
                file.type = .directory
                file.mode = 0o644
                file.size = NumberCondition(lt: 20)
                file.owner = try TextPattern("nobody-else")
                file.group = try TextPattern("/^nobody-else$/")
                file.linkedTo = try TextPattern("x")
                file.contents = [try TextPattern("Welcome"), try TextPattern("evil")]
            } == ["type", "mode", "size", "linked-to", "owner", "group", "contents"]
        )
        let digest = ImageDigest("a5ca94ade64d75adaf0c77e46a35dbe5b7427e6a8ad2207a8bc833a39f357b95")
        #expect(try await outcomes("/etc/link") { $0.sha256 = digest } == [])
        #expect(try await outcomes("/etc/none") { _ in } == ["exists"])
        #expect(try await outcomes("/etc/none") { $0.exists = false } == [])
        #expect(try await outcomes("/etc/motd") { $0.exists = false } == ["exists"])
    }

    @Test("a link is looked at itself, its content is that of its file, and its way stays within the root")
    func links() async throws {
        #expect(
            try await outcomes("/etc/link") { file in
                file.type = .symlink
                file.linkedTo = try TextPattern("motd")
                file.contents = [try TextPattern("Welcome")]
            } == []
        )
        for way in ["/absolute/motd", "/climbing/motd"] {
            #expect(try await outcomes(way) { $0.contents = [try TextPattern("Welcome")] } == [], "\(way)")
        }
        for way in ["/out/secret", "/loop/x", "/fifo/x", "/etc/motd/x"] {
            #expect(try await outcomes(way) { $0.exists = false } == [], "\(way)")
        }
        for odd in ["/fifo", "/etc", "/loop", "/out"] {
            #expect(try await outcomes(odd) { $0.contents = [try TextPattern("!x")] } == ["contents"], "\(odd)")
        }
        #expect(try await outcomes("/") { $0.type = .directory } == [])
    }

    @Test("more than is searched is said to be so")
    func large() async throws {
        let path = directory.path + "/large"
        #expect(FileManager.default.createFile(atPath: path, contents: nil))
        #expect(truncate(path, off_t(RootChecks.longestContent + 1)) == 0)
        var file = FileResource(path: try self.path("/large"))
        file.contents = [try TextPattern("a")]
        let found = await checks.assertions(Check(.resource(.file(file)), hint: "look"))
        #expect(found.count == 1 && found[0].outcome == .failed && found[0].found.contains("not searched"))
        #expect(found[0].found.hasSuffix("(look)"))
    }

    @Test("accounts and groups are as the files have them")
    func accounts() async throws {
        var user = UserResource(name: "web")
        user.uid = NumberCondition(5000)
        user.gid = NumberCondition(lt: 5000)
        user.home = try TextPattern("/srv")
        user.shell = try TextPattern("!/sh$/")
        user.groups = [try TextPattern("web"), try TextPattern("adm"), try TextPattern("!root")]
        let found = await outcomes(.user(user))
        #expect(found["user web: gid"] == .failed)
        #expect(found.filter { $0.value == .failed }.count == 1 && found.count == 6)
        #expect(await outcomes(.user(UserResource(name: "nobody"))) == ["user nobody: exists": .failed])
        var group = GroupResource(name: "adm")
        group.gid = NumberCondition(4)
        #expect(await outcomes(.group(group)).values.allSatisfy { $0 == .passed })
    }

    @Test("without a list of packages nothing is known of one, which proves nothing either way")
    func packages() async throws {
        var absent = PackageResource(name: "telnet")
        absent.installed = false
        for probe in [Probe.resource(.package(absent)), .not(.resource(.package(PackageResource(name: "telnet"))))] {
            let found = await checks.assertions(Check(probe))
            #expect(found.count == 1 && found[0].outcome == .failed && found[0].found.contains("can't be told here"))
        }
        _ = try directory.file(
            "var/lib/dpkg/status",
            Array("Package: a\nStatus: install ok installed\nVersion: 1\n".utf8)
        )
        #expect(await outcomes(.package(absent)) == ["package telnet: installed": .passed])
        var present = PackageResource(name: "a")
        present.versions = [try TextPattern("2")]
        let found = await outcomes(.package(present))
        #expect(found == ["package a: installed": .passed, "package a: version": .failed])
    }

    @Test("'not' holds where something does not, and fails where all of it does")
    func negation() async throws {
        var file = FileResource(path: try path("/etc/motd"))
        file.mode = 0o777
        #expect(await checks.assertions(Check(.not(.resource(.file(file))))).map(\.outcome) == [.passed])
        file.mode = nil
        let found = await checks.assertions(Check(.not(.resource(.file(file)))))
        #expect(found.map(\.outcome) == [.failed] && found[0].found == "it holds")
    }

    @Test("what takes a machine fails, and says so")
    func machines() async {
        for probe in [Probe.agent, .resource(.service(ServiceResource(name: "a", running: true)))] {
            let found = await checks.assertions(Check(probe))
            #expect(found.count == 1 && found[0].outcome == .failed && found[0].found.contains("only a machine"))
        }
    }
}

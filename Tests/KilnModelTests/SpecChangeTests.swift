import KilnModel
import Testing

@Suite("What a declaration changes")
struct SpecChangeTests {
    private func spec() throws -> ServerSpec {
        ServerSpec(
            image: try ImageReference("tiny:1"),
            memory: ByteCount(bytes: 256 << 20),
            volumes: [try Name("data"): "/data"],
            userData: ["write_files": [["content": "a secret"]]]
        )
    }

    @Test("a declaration does not differ from itself, and another image is not its matter")
    func same() throws {
        var next = try spec()
        #expect(try spec().changes(to: next).isEmpty)
        next.image = try ImageReference("tiny:2")
        #expect(try spec().changes(to: next).isEmpty)
    }

    @Test("fields are named as a lab file writes them, values of a line are shown")
    func fields() throws {
        var next = try spec()
        next.memory = ByteCount(bytes: 512 << 20)
        next.strategy = .warmFirst
        next.keepRoots = 3
        next.readyTimeout = .seconds(9)
        #expect(
            try spec().changes(to: next) == [
                SpecChange(.configuration, "keep-roots", from: "1", to: "3"),
                SpecChange(.configuration, "memory", from: "256MiB", to: "512MiB"),
                SpecChange(.configuration, "ready-timeout", from: nil, to: nil),
                SpecChange(.configuration, "strategy", from: "stop-first", to: "warm-first"),
            ]
        )
    }

    @Test("of user-data only that it differs is told: it holds secrets")
    func userData() throws {
        var next = try spec()
        next.userData = ["write_files": [["content": "another secret"]]]
        #expect(try spec().changes(to: next) == [SpecChange(.configuration, "user-data", from: nil, to: nil)])
    }

    @Test("volumes come, go and move")
    func volumes() throws {
        var next = try spec()
        next.volumes = [try Name("logs"): "/var/log"]
        #expect(
            try spec().changes(to: next) == [
                SpecChange(.volume, "data", from: "/data", to: nil),
                SpecChange(.volume, "logs", from: nil, to: "/var/log"),
            ]
        )
    }
}

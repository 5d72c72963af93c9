import Foundation
import KilnModel
import Testing

extension EndToEnd {
    @Suite(
        "Images from a recipe to a server",
        .lane,
        .serialized,
        .enabled(if: geteuid() == 0, "a plain user needs subordinate ids"),
        .timeLimit(.minutes(10))
    )
    struct ImagePipeline {
        private static let recipe = """
            kiln-image: 1
            name: motd
            about: tiny with a message.
            from: tiny:1
            provision:
              - files: { from: root, to: / }
              - shell: setup.sh
            tests:
              - file: { path: /etc/motd, mode: "0644", owner: root, contents: hello }
              - command: { run: cat /etc/motd.version, stdout: "1" }
            versions: { "1": {} }

            """

        private static let server = """
            image: motd@stable
            memory: 256MiB
            processors: 1
            ready: [agent]
            """

        private func write(_ text: String, to file: String) throws {
            let url = URL(fileURLWithPath: file)
            try FileManager.default.createDirectory(
                at: url.deletingLastPathComponent(),
                withIntermediateDirectories: true
            )
            try Data(text.utf8).write(to: url)
        }

        @Test("an image made from another is baked, tested, promoted and served; revoked, it makes no new machine")
        func life() async throws {
            let home = try #require(Home.shared)
            let recipes = home.path + "/recipes"
            try write(Self.recipe, to: recipes + "/motd/image.yaml")
            try write("hello\n", to: recipes + "/motd/root/etc/motd")
            try write("#!/bin/sh\necho \"$KILN_VERSION\" > /etc/motd.version\n", to: recipes + "/motd/setup.sh")
            chmod(recipes + "/motd/setup.sh", 0o755)

            let bake = ["image", "bake", "--no-test", "--folder", recipes, "motd"]
            let baked = try await home.run(bake)
            try #require(baked.status == 0, "\(baked.errors)")
            let again = try await home.run(bake)
            #expect(again.status == 0 && again.errors.contains("motd:1 is baked already"), "\(again.errors)")

            let promote = ["image", "promote", "motd:1", "--to", "stable"]
            let untested = try await home.run(promote)
            #expect(untested.status != 0 && untested.errors.contains("kiln image test motd:1"), "\(untested.errors)")
            let tested = try await home.run("image", "test", "motd:1")
            try #require(tested.status == 0, "\(tested.text) \(tested.errors)")
            #expect(tested.text.contains("two machines: boot-id") && tested.text.contains("file /etc/motd: contents"))
            let promoted = try await home.run(promote)
            try #require(promoted.status == 0, "\(promoted.errors)")

            try await home.withLab("pipeline", server: Self.server) { lab in
                try await lab.upOrFail()
                #expect(try await lab.shell("cat /etc/motd /etc/motd.version") == "hello\n1")
                let revoked = try await home.run("image", "revoke", "motd:1", "--why", "a hole in it")
                #expect(revoked.status == 0, "\(revoked.errors)")
                let refused = try await lab.replace("motd:1")
                #expect(refused.status != 0 && refused.errors.contains("a hole in it"), "\(refused.errors)")
                #expect(try await lab.shell("cat /etc/motd") == "hello")
            }
        }
    }
}

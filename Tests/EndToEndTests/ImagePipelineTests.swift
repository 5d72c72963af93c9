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
        private static let server = """
            image: motd@stable
            memory: 256MiB
            processors: 1
            ready: [agent]
            """

        @Test("an image made from another is baked, tested, promoted and served; revoked, it makes no new machine")
        func life() async throws {
            let home = try #require(Home.shared)
            try home.recipes.writeMessage()

            let bake = ["image", "bake", "--no-test", "--folder", home.recipes.path, "motd"]
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
            try await expectWholeChannel(home, promote)

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

        /// In a store on a small file system of its own: takes the image, bakes, looks at what is left, and bakes what is smaller.
        private static let small = """
            set -eu
            mount -t tmpfs -o size=160m tmpfs "$KILN_HOME"
            "$1" image import "$2"
            if "$1" image bake --folder "$3" filler; then exit 9; fi
            echo "left: $(ls -A "$KILN_HOME/images/work")."
            "$1" image verify
            printf '#!/bin/sh\necho x > /fill\n' > "$3/filler/fill.sh"
            "$1" image bake --folder "$3" filler
            """

        @Test("a step that fills the disk fails by name, and what it wrote keeps nobody from the next bake")
        func fullDisk() async throws {
            let home = try #require(Home.shared)
            let inner = try Home(home.path + "/small")
            let file = home.path + "/tiny.tar"
            let export = try await home.run("image", "export", "tiny:1", file)
            try #require(export.status == 0, "\(export.errors)")
            let recipe = "kiln-image: 1\nname: filler\nabout: x\nfrom: tiny:1\nprovision: [{ shell: fill.sh }]\n"
            try home.recipes.write(recipe + "versions: { \"1\": {} }\n", to: "filler/image.yaml")
            try home.recipes.write("#!/bin/sh\nset -e\ncat /dev/zero > /fill\n", to: "filler/fill.sh", isProgram: true)
            let line = ["--mount", "--propagation", "private", "--", "/bin/sh", "-c", Self.small, "small"]
            let end = try await Command(
                "/usr/bin/unshare",
                line + [try #require(Home.kiln), file, home.recipes.path],
                environment: ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "KILN_HOME": inner.path, "HOME": inner.path]
            ).finish()
            try #require(end.status == 0, "\(end.status) \(end.text) \(end.errors)")
            #expect(end.errors.contains("filler:1 failed at step 2, shell fill.sh"), "\(end.errors)")
            #expect(end.errors.contains("No space left on device"), "\(end.errors)")
            #expect(end.text.contains("left: ."), "\(end.text)")
        }

        /// Promotes, killed before and after the channel moves: it points to nothing, or to the image.
        private func expectWholeChannel(_ home: Home, _ promote: [String]) async throws {
            for (moment, pointing) in [("before", false), ("after", true)] {
                let killed = try await home.run(promote, failpoint: "channel.\(moment)=kill")
                #expect(killed.status == 137, "\(moment): \(killed.errors)")
                let channels = try await home.run("image", "channels", "motd")
                #expect(channels.status == 0 && channels.text.contains("motd:1") == pointing, "\(channels.text)")
            }
            let promoted = try await home.run(promote)
            try #require(promoted.status == 0, "\(promoted.errors)")
        }
    }
}

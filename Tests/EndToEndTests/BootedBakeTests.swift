import Foundation
import KilnModel
import Testing

extension EndToEnd {
    @Suite(
        "An image that is baked in a machine",
        .lane,
        .serialized,
        .enabled(if: geteuid() == 0, "the test of its parts runs as root"),
        .timeLimit(.minutes(10))
    )
    struct BootedBakes {
        private static let recipe = """
            kiln-image: 1
            name: room
            about: tiny, changed in a machine.
            from: tiny:1
            bake: booted
            provision:
              - shell: mark.sh
              - files: { from: root, to: / }
            versions: { "1": {} }

            """
        // What only a machine has: a kernel of its own that runs, and an agent in it.
        private static let mark = """
            #!/bin/sh
            set -e
            grep -q kiln /proc/cmdline
            pidof qemu-ga > /etc/room

            """

        @Test("its steps are done in a real machine, of which the image keeps nothing, and two machines of it differ")
        func life() async throws {
            let home = try #require(Home.shared)
            try home.recipes.write(Self.recipe, to: "room/image.yaml")
            try home.recipes.write(Self.mark, to: "room/mark.sh", isProgram: true)
            try home.recipes.write("hello\n", to: "room/root/etc/motd")
            let bake = ["image", "bake", "--no-test", "--folder", home.recipes.path, "room"]
            let baked = try await home.run(bake)
            try #require(baked.status == 0, "\(baked.text) \(baked.errors)")
            #expect(baked.errors.contains("in one machine, none is reused"), "\(baked.errors)")
            #expect(home.machines.isEmpty && home.work.isEmpty)
            let again = try await home.run(bake)
            #expect(again.errors.contains("room:1 is baked already"), "\(again.errors)")
            let tested = try await home.run("image", "test", "room:1")
            #expect(tested.status == 0 && tested.text.contains("two machines: boot-id"), "\(tested.text)")

            try await home.withLab("room", server: "image: room:1\nready: [cloud-init]") { lab in
                try await lab.upOrFail()
                #expect(try await lab.shell("cat /etc/motd; test -s /etc/room && hostname") == "hello\nweb")
                let drift = try await home.run("drift", "\(lab.name)/web")
                #expect(drift.status == 0, "\(drift.text)")
            }
        }
    }
}

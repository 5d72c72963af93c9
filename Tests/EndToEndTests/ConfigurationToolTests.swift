import Foundation
import KilnModel
import Testing

extension EndToEnd {
    @Suite(
        "Configuration tools in a bake",
        .lane,
        .serialized,
        .enabled(if: geteuid() == 0, "a plain user needs subordinate ids"),
        .timeLimit(.minutes(30))
    )
    struct ConfigurationTools {
        /// A tool that makes /etc/configured.
        struct Tool: Sendable, CustomTestStringConvertible {
            let name: String
            /// The field of its step that names the file.
            let field: String
            let file: String
            /// What the file says; it makes the content `by NAME`.
            let text: String
            /// What runs it, which is not to stay in the image.
            let program: String

            var testDescription: String { name }

            var recipe: String {
                """
                kiln-image: 1
                name: by-\(name)
                about: Debian 13, configured by \(name).
                from: debian-13:1
                provision: [{ \(name): { \(field): \(file) } }]
                versions: { "1": {} }

                """
            }
        }

        private static let tools = [
            Tool(
                name: "cfengine",
                field: "policy",
                file: "main.cf",
                text: """
                    body common control
                    {
                      bundlesequence => { "main" };
                    }

                    bundle agent main
                    {
                      files:
                        "/etc/configured"
                          create => "true",
                          content => "by cfengine$(const.n)";
                    }

                    """,
                program: "cf-agent"
            ),
            Tool(
                name: "puppet",
                field: "manifest",
                file: "site.pp",
                text: """
                    file { '/etc/configured':
                      ensure  => file,
                      mode    => '0644',
                      content => "by puppet\\n",
                    }

                    """,
                program: "puppet"
            ),
            Tool(
                name: "ansible",
                field: "playbook",
                file: "site.yaml",
                text: """
                    - hosts: all
                      gather_facts: false
                      tasks:
                        - ansible.builtin.copy: { dest: /etc/configured, content: "by ansible\\n", mode: "0644" }

                    """,
                program: "ansible-playbook"
            ),
        ]

        // One processor, because an emulated guest with several crashes now and then: see Sources/KilnHost/README.md.
        private static func server(_ tool: Tool) -> String {
            """
            image: by-\(tool.name):1
            processors: 1
            ready: [agent]
            ready-timeout: 8m
            stop-timeout: 90s
            """
        }

        @Test(
            "a tool configures an image, twice without another change, and is gone from the machine",
            arguments: tools
        )
        func configured(tool: Tool) async throws {
            let home = try #require(Home.shared)
            try await home.takeDebian()
            try home.recipes.write(tool.recipe, to: "by-\(tool.name)/image.yaml")
            try home.recipes.write(tool.text, to: "by-\(tool.name)/\(tool.file)")
            let bake = try await home.start([
                "image", "bake", "--no-test", "--folder", home.recipes.path, "by-\(tool.name)",
            ])
            .finish(within: .seconds(900))
            try #require(bake.status == 0, "\(bake.errors)")
            let log = try String(contentsOfFile: "\(home.path)/images/logs/by-\(tool.name)/1.log", encoding: .utf8)
            #expect(log.contains("a second run has to change nothing"), "\(log.suffix(2_000))")
            try await home.withLab("by-\(tool.name)", server: Self.server(tool)) { lab in
                try await lab.upOrFail()
                #expect(try await lab.shell("cat /etc/configured") == "by \(tool.name)")
                #expect(try await lab.shell("command -v \(tool.program) || echo gone") == "gone")
            }
        }
    }
}

extension Home {
    /// Takes both versions of debian-13 where this home lacks them.
    func takeDebian() async throws {
        if try await digest(of: "debian-13:1") == nil { try await takeImages("debian-13", linking: true) }
    }
}

import ArgumentParser
import Foundation
import KilnModel

/// `kiln init`: writes a lab file to start from.
struct InitVerb: Verb {
    static let configuration = CommandConfiguration(
        commandName: "init",
        abstract: "Write a commented lab file to start from."
    )

    @Argument(help: "The file to write; it must not exist.", completion: .file(extensions: ["yaml", "yml"]))
    var file = LabFileOption.defaultPath

    @OptionGroup var global: GlobalOptions

    func execute(_ session: Session) async throws -> Int32 {
        try StarterLab.write(to: file)
        try session.show(
            WrittenFile(path: file, next: "kiln up\(file == LabFileOption.defaultPath ? "" : " -f \(file)")")
        )
        return 0
    }
}

/// A file that was written for the user.
struct WrittenFile: Renderable {
    let path: String
    let next: String

    struct Payload: Encodable {
        let path: String
        let next: String
    }

    var payload: Payload { Payload(path: path, next: next) }
    var human: HumanView { .lines(["wrote \(path)", "next: \(next)"]) }
}

/// The lab file that `kiln init` writes.
public enum StarterLab {
    /// Its text.
    public static let text = """
        # A lab: servers that are never modified, only replaced. Bring it up with 'kiln up'.
        kiln: 1
        name: hello
        about: One web server whose data outlives its machines.

        lab:
          volumes:
            # Formatted once, when it is created. Nothing but 'kiln volume delete' ever removes it.
            data: { size: 64MiB }

          servers:
            web:
              image: tiny:1          # or name, name@channel, name@sha256:…; bake it with 'kiln image bake tiny'
              volumes: { data: /data }
              ports: { http: 80 }    # the guest's port; kiln chooses one on 127.0.0.1 and keeps it ('kiln ps')
              # What must hold, in this order, before the server counts as ready.
              ready: [agent, cloud-init, { http: { port: http, path: /health } }]

        # Replace the server: a new machine from another image, with the same volume.
        #   kiln replace web --image tiny:2

        """

    /// Writes it to a path where nothing is yet.
    ///
    /// - Throws: `KilnError` with code `init.exists` or `init.failed`.
    static func write(_ text: String = text, to path: String, command: String = "kiln init FILE") throws {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else {
            throw errno == EEXIST
                ? KilnError(
                    .initExists,
                    "\(Name.quoted(path)) exists already, and is left as it is",
                    hint: "name another file: '\(command)'",
                    exit: .usage
                )
                : KilnError(
                    .initFailed,
                    "\(Name.quoted(path)) can't be written",
                    hint: "name a file in a directory of yours: '\(command)'",
                    cause: String(cString: strerror(errno)),
                    exit: .usage
                )
        }
        let file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        try file.write(contentsOf: Data(text.utf8))
        try file.close()
    }
}

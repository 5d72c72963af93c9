import ArgumentParser
import Foundation

@main
struct KilnDocs: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "kiln-docs",
        abstract: "Write what can be told from Kiln's commands and schemas: manual pages, and tables of READMEs.",
        subcommands: [WriteManual.self, WriteReference.self]
    )
}

/// Writes the manual pages.
struct WriteManual: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "man",
        abstract: "Write kiln(1), kiln.yaml(5), kiln-scenario(5) and kiln-image(5).",
        discussion: "The pages bear today's date, or that of SOURCE_DATE_EPOCH."
    )

    @Argument(help: "The folder to write them to; it is made where it is missing.")
    var folder: String

    func run() throws {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        for page in try Manual(date: Manual.date(environment: ProcessInfo.processInfo.environment)).pages {
            try Data(page.text.utf8).write(to: URL(fileURLWithPath: "\(folder)/\(page.file)"), options: .atomic)
        }
    }
}

/// Writes the generated tables of READMEs, in place.
struct WriteReference: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reference",
        abstract: "Write the tables between the markers of the READMEs anew; run it at the top of the checkout."
    )

    func run() throws {
        for document in ReferenceDocument.all {
            let old = try String(contentsOfFile: document.path, encoding: .utf8)
            let new = try document.filled(old)
            if new == old { continue }
            try Data(new.utf8).write(to: URL(fileURLWithPath: document.path), options: .atomic)
            print("wrote \(document.path)")
        }
    }
}

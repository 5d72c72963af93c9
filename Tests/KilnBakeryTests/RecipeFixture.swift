import Foundation
import KilnDocuments
import KilnTestSupport

@testable import KilnBakery

/// A recipe of an image `web` in a folder of its own, with a program and a shared folder.
struct RecipeFixture {
    static let text = """
        kiln-image: 1
        name: web
        about: A server.
        debian: { suite: trixie, variant: minbase, packages: [curl] }
        assemble: assemble.sh
        disk: 1GiB
        command-line: quiet
        memory: 256MiB
        processors: 2
        cloud-init: full
        ssh: true
        versions: { "10": {}, "9": { GREETING: hello } }
        """

    let folder: TemporaryDirectory
    var path: String { folder.path + "/web" }
    var file: String { path + "/image.yaml" }

    init(_ text: String = RecipeFixture.text) throws {
        folder = try TemporaryDirectory()
        _ = try folder.file("web/image.yaml", Array(text.utf8))
        _ = try folder.file("initrd/init", [])
        chmod(try folder.file("web/assemble.sh", [1]), 0o755)
    }

    /// The recipe, of which the folder is there only as long as this is.
    func recipe() throws -> Recipe { try withExtendedLifetime(folder) { try Recipe(at: file) } }

    /// What is wrong with the recipe, each as `line:column: path: message`.
    var problems: [String] {
        do throws(InvalidFile) {
            _ = try Recipe(at: file)
            return []
        } catch {
            return error.problems.map { $0.description.replacing(file + ":", with: "") }
        }
    }
}

extension Recipe {
    /// What it is assembled from, where it is.
    var assembly: Assembly? {
        guard case .assembled(let assembly) = source else { return nil }
        return assembly
    }

    /// What it downloads, where it does.
    var download: Download? {
        guard case .published(let download) = source else { return nil }
        return download
    }
}

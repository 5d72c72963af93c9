import ArgumentParser
import KilnBakery
import KilnEngine
import KilnModel
import KilnStore

/// `kiln demo`: a replacement under load, with nothing but what is installed.
struct DemoVerb: Verb {
    static let configuration = CommandConfiguration(
        commandName: "demo",
        abstract: "Replace a small server while it writes, and prove that no acknowledged record is lost.",
        discussion: """
            It bakes the image 'tiny' where the store lacks it, which takes Debian packages from the mirrors that apt is \
            configured with, and runs the scenario 'replace-keeps-data', which removes its lab. Both have to be installed: \
            what lies in the current directory is not used.
            """
    )

    @OptionGroup var global: GlobalOptions

    func execute(_ session: Session) async throws -> Int32 {
        let recipe = try Recipe(folder: try DemoVerb.installed(.recipes, Name("tiny"), session))
        let scenario = try DemoVerb.installed(.scenarios, Name("replace-keeps-data"), session)
        let workspace = try await session.workspace()
        let missing = recipe.versions.contains { version in
            let reference = ImageReference(name: recipe.name, selector: .version(version.name))
            return (try? workspace.images.resolve(reference)) == nil
        }
        if missing { _ = try await workspace.bake(recipe, parents: .installed(.recipes), session) }
        let status = try await session.run(scenario)
        if status == 0 { session.say("next: 'kiln init' writes a lab file of your own; 'kiln up' starts it") }
        return status
    }

    private static func installed(_ kind: SearchPath.Kind, _ name: Name, _ session: Session) throws -> String {
        do {
            return try SearchPath.installed(kind).find(name, session)
        } catch let error as KilnError where error.code == .searchNotFound {
            throw KilnError(
                .searchNotFound,
                error.message,
                hint: "install Kiln ('make deb' or 'make install' in a checkout), or run 'make demo' there",
                exit: .usage
            )
        }
    }
}

import ArgumentParser
import KilnModel

/// Where recipes that are called by name are looked for.
struct RecipeFolderOption: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "A folder of recipes that is searched first.",
            discussion: "Then: ./Images, kiln/images in the user's data ($XDG_DATA_HOME), the installed recipes."
        ),
        completion: .directory
    )
    var folder: String?

    /// Where recipes are looked for.
    var search: SearchPath { SearchPath(.recipes, folder: folder) }

    /// The paths of recipes: names are searched for, all else is a path already.
    func paths(of recipes: [String], _ session: Session) throws -> [String] {
        try recipes.map { text in
            guard let name = try? Name(text) else { return text }
            return try search.find(name, session)
        }
    }
}

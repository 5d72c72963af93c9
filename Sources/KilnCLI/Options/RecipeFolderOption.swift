import ArgumentParser
import KilnModel

/// Where recipes that are called by name are looked for.
struct RecipeFolderOption: ParsableArguments {
    @Option(help: "The folder of recipes.", completion: .directory)
    var folder = "Images"

    /// The path of a recipe: names are those of the folder's recipes, all else is a path already.
    func path(of recipe: String) -> String { (try? Name(recipe)) == nil ? recipe : "\(folder)/\(recipe)" }
}

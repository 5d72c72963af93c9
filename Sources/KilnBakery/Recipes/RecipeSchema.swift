import KilnDocuments
import KilnModel

/// The JSON Schema of recipes, for editors.
///
/// It describes the structure only: whether the files that a recipe names are there is checked when it is read.
public enum RecipeSchema {
    /// The schema, draft 2020-12.
    public static var document: JSONValue {
        Schema.document(RecipeFields.self, title: "Kiln recipe", "How an image of Kiln is baked.")
    }
}

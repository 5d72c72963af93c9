import KilnDocuments
import KilnModel

/// The JSON Schema of lab and scenario files, for editors.
///
/// It describes the structure only: names that refer to each other are checked when a file is read.
public enum ScenarioSchema {
    /// The schema, draft 2020-12.
    public static var document: JSONValue {
        Schema.document(FileFields.self, title: "Kiln lab or scenario", "A lab or scenario of Kiln.")
    }
}

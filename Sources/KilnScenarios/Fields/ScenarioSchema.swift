import KilnDocuments
import KilnModel

/// The JSON Schema of lab and scenario files, for editors.
///
/// It describes the structure only: names that refer to each other are checked when a file is read.
public enum ScenarioSchema {
    /// The schema, draft 2020-12.
    public static var document: JSONValue {
        var schema = Schema.object(FileFields.self, "A lab or scenario of Kiln.")
        if case .object(var map) = schema {
            map["$schema"] = "https://json-schema.org/draft/2020-12/schema"
            map["title"] = "Kiln lab or scenario"
            schema = .object(map)
        }
        return schema
    }
}

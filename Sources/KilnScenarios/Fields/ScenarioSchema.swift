import KilnDocuments
import KilnModel

/// The JSON Schema of lab and scenario files, for editors.
///
/// It describes the structure only: names that refer to each other are checked when a file is read.
public enum ScenarioSchema {
    /// The schema, draft 2020-12.
    public static var document: JSONValue {
        let about = "A lab or scenario of Kiln."
        guard case .object(var map) = Schema.document(FileFields.self, title: "Kiln lab or scenario", about) else {
            return .null
        }
        map["$defs"] = .object([StepSchema.definition: StepSchema.step])
        return .object(map)
    }
}

import KilnModel

/// What texts of steps may name at a step of a run.
struct KnownTexts: Sendable {
    /// What earlier steps saved.
    var saved: [Name: String] = [:]
    /// The external services.
    var externals: [Name: ExternalAccess] = [:]

    /// What stands for `${saved.NAME}` or `${external.NAME.FIELD}`, given without `${` and `}`; nothing where it is not known.
    func value(_ expression: Substring) -> String? {
        if let reference = ExternalReference(expression: String(expression)) {
            return externals[reference.external]?.value(reference.field)
        }
        guard expression.hasPrefix("saved.") else { return nil }
        return (try? Name(String(expression.dropFirst("saved.".count)))).flatMap { saved[$0] }
    }
}

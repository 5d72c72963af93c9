import KilnModel

/// What may be written for a field, in a few words.
enum SchemaType {
    /// The words for a schema; its title where it has one.
    static func text(of schema: JSONValue) -> String {
        if let title = schema.title { return title }
        if let choices = schema["anyOf"]?.array { return either(choices.map(text)) }
        if let words = schema["enum"]?.array { return either(words.compactMap(word)) }
        if let only = schema["const"] { return word(only) ?? "nothing" }
        // Several types: a scalar that is taken as it is written.
        if schema["type"]?.array != nil { return "text" }
        switch schema["type"]?.string {
        case "integer": return whole(schema)
        case "boolean": return "true or false"
        case "string": return "text"
        case "array": return "list" + (schema.item.map { " of \(plural(text(of: $0)))" } ?? "")
        default: return "map" + (schema.element.map { " of name to \(text(of: $0))" } ?? "")
        }
    }

    private static func either(_ words: [String]) -> String {
        let distinct = words.reduce(into: [String]()) { if !$0.contains($1) { $0.append($1) } }
        guard let last = distinct.last, distinct.count > 1 else { return distinct.first ?? "nothing" }
        return "\(distinct.dropLast().joined(separator: ", ")) or \(last)"
    }

    private static func word(_ value: JSONValue) -> String? {
        switch value {
        case .string(let text): text
        case .int(let number): String(number)
        default: nil
        }
    }

    private static func whole(_ schema: JSONValue) -> String {
        switch (schema["minimum"].flatMap(word), schema["maximum"].flatMap(word)) {
        case (let least?, let most?): "\(least) to \(most)"
        case (let least?, nil): "\(least) or more"
        default: "whole number"
        }
    }

    private static func plural(_ text: String) -> String { text.contains(" ") ? text : text + "s" }
}

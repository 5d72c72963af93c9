/// Finds what a misspelt word was probably meant to be.
enum Suggestion {
    /// ` (did you mean 'x'?)` for the nearest of `candidates`, or nothing where none is near.
    static func text(for word: String, among candidates: [String]) -> String {
        guard let near = nearest(to: word, among: candidates) else { return "" }
        return " (did you mean '\(near)'?)"
    }

    /// The candidate with the fewest edits, where these are at most a third of the word, or 1.
    static func nearest(to word: String, among candidates: [String]) -> String? {
        guard word.count <= 60 else { return nil }
        let limit = max(1, word.count / 3)
        return candidates.map { (edits: distance(word, $0), candidate: $0) }
            .filter { $0.edits <= limit }
            .min { ($0.edits, $0.candidate) < ($1.edits, $1.candidate) }?.candidate
    }

    /// The number of characters to insert, delete or replace (Levenshtein).
    static func distance(_ left: String, _ right: String) -> Int {
        let right = Array(right)
        var row = Array(0...right.count)
        for (index, character) in left.enumerated() {
            var diagonal = row[0]
            row[0] = index + 1
            for column in right.indices {
                let substitution = diagonal + (character == right[column] ? 0 : 1)
                diagonal = row[column + 1]
                row[column + 1] = min(substitution, diagonal + 1, row[column] + 1)
            }
        }
        return row[right.count]
    }
}

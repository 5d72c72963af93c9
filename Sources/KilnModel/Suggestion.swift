/// Finds what a misspelt word was probably meant to be.
public enum Suggestion {
    /// ` (did you mean 'x'?)` for the nearest of `candidates`, or nothing where none is near.
    public static func text(for word: String, among candidates: [String]) -> String {
        guard let near = nearest(to: word, among: candidates) else { return "" }
        return " (did you mean '\(near)'?)"
    }

    /// The candidate with the fewest edits, where these are at most a third of the word, or 1.
    public static func nearest(to word: String, among candidates: [String]) -> String? {
        guard word.count <= 60 else { return nil }
        let limit = max(1, word.count / 3)
        return candidates.map { (edits: distance(word, $0), candidate: $0) }
            .filter { $0.edits <= limit }
            .min { ($0.edits, $0.candidate) < ($1.edits, $1.candidate) }?.candidate
    }

    /// The number of characters to insert, delete, replace or swap with their neighbour (optimal string alignment).
    public static func distance(_ left: String, _ right: String) -> Int {
        let left = Array(left)
        let right = Array(right)
        var beforeLast: [Int] = []
        var last = Array(0...right.count)
        for row in left.indices {
            var current = [row + 1]
            for column in right.indices {
                let replaced = last[column] + (left[row] == right[column] ? 0 : 1)
                var least = min(replaced, last[column + 1] + 1, current[column] + 1)
                if row > 0, column > 0, left[row] == right[column - 1], left[row - 1] == right[column] {
                    least = min(least, beforeLast[column - 1] + 1)
                }
                current.append(least)
            }
            (beforeLast, last) = (last, current)
        }
        return last[right.count]
    }
}

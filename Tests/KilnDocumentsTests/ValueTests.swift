import KilnDocuments
import Testing

@Suite("Reading values")
struct ValueTests {
    /// What is wrong with `text` where `read` is how it is read.
    private func problems(_ text: String, _ read: (Value) -> Void) -> [String] {
        let problems = ProblemList(file: "a.yaml")
        if let root = YAMLDocument.root(of: text, problems) { read(Value(node: root, path: "", problems: problems)) }
        return problems.sorted.map { $0.description.replacing("a.yaml:", with: "") }
    }

    @Test("a hundred thousand problems are all reported, and that takes no minute", .timeLimit(.minutes(1)))
    func many() {
        let text = "[" + String(repeating: "x, ", count: 100_000) + "1]"
        let found = problems(text) { value in value.list(of: "numbers")?.forEach { _ = $0.whole(in: 1...9) } }
        #expect(found.count == 100_000)
        #expect(found.last == "1:299999: [99999]: expected a whole number from 1 to 9, found 'x'")
    }

    @Test("a list has at least one element, unless it may be empty")
    func emptyLists() {
        #expect(problems("[]") { _ = $0.list(of: "numbers") }.count == 1)
        let accepted = problems("[]") { #expect($0.list(of: "numbers", atLeast: 0)?.isEmpty == true) }
        #expect(accepted.isEmpty)
        #expect(problems("a") { _ = $0.list(of: "numbers", atLeast: 0) }.count == 1)
    }

    @Test(
        "a file of another kind is refused with the command that checks it, whatever else is in it",
        arguments: [
            ("kiln-image: 1\nname: a", FileKind.lab, "1:1: this is the recipe of an image", "'kiln image lint a.yaml'"),
            ("kiln-lesson: 1", .lab, "1:1: this is a lesson", "'kiln learn lint a.yaml'"),
            ("a: 1\nkiln: 1", .recipe, "2:1: this is a lab or scenario", "'kiln scenario lint a.yaml'"),
        ]
    )
    func otherKind(text: String, kind: FileKind, start: String, command: String) {
        let found = problems(text) { #expect(!kind.accepts($0)) }
        #expect(found.count == 1 && found[0].hasPrefix(start) && found[0].contains(command), "\(found)")
    }

    @Test("a file that says to be of both kinds, or of none, is read as what was asked for")
    func ownKind() {
        for text in ["kiln: 1\nkiln-image: 1", "a: 1", "[]", "x"] {
            for kind in [FileKind.lab, .recipe] {
                let found = problems(text) { #expect(kind.accepts($0)) }
                #expect(found.isEmpty, "\(found)")
            }
        }
    }
}

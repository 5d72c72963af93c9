import KilnCLI
import KilnModel

/// A page of section 5: how a kind of file is written.
struct FilePage {
    /// The page's name, such as `kiln.yaml`.
    let name: String
    /// What the file is, in half a sentence.
    let title: String
    /// What a reader has to know before the fields.
    let intro: String
    /// The fields.
    let schema: JSONValue
    /// A file to begin with.
    let example: String
    let seeAlso: String

    /// The page as it is installed.
    func page(date: String) -> ManualPage {
        var roff = Roff(title: name, section: 5, date: date, version: KilnCommand.version)
        roff.section("Name")
        roff.paragraphs("\(name) - \(title)")
        roff.section("Description")
        roff.paragraphs(intro)
        roff.section("Example")
        roff.example(example)
        for table in SchemaTables.of(schema) {
            roff.section(table.title)
            roff.paragraphs(table.about)
            for row in table.rows { roff.term([.bold(row.name), .plain(" (\(row.kind))")], row.about) }
        }
        roff.section("See also")
        roff.paragraphs(seeAlso)
        return ManualPage(file: "\(name).5", text: roff.text)
    }
}

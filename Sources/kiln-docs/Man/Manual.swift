import Foundation
import KilnCLI

/// A manual page that is written.
struct ManualPage {
    /// Its name, such as `kiln.1`.
    let file: String
    /// Its text, for troff.
    let text: String
}

/// The pages of the manual.
struct Manual {
    /// The date that the pages bear, YYYY-MM-DD.
    let date: String

    /// All pages.
    var pages: [ManualPage] {
        get throws {
            let commands = try CommandPage(tree: .of(KilnCommand.self), groups: CommandPage.groups, date: date)
            return [commands.page] + FilePage.all.map { $0.page(date: date) }
        }
    }

    /// Today, or the day that SOURCE_DATE_EPOCH asks for, so that a build can be repeated.
    static func date(environment: [String: String]) -> String {
        let asked = environment["SOURCE_DATE_EPOCH"].flatMap(TimeInterval.init).map(Date.init(timeIntervalSince1970:))
        return (asked ?? Date()).formatted(.iso8601.year().month().day())
    }
}

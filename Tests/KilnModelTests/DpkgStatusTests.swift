import KilnModel
import Testing

@Suite("dpkg's list of packages")
struct DpkgStatusTests {
    private let text = """
        Package: a
        Status: install ok installed
        Version: 1:2-3

        Package: gone
        Status: deinstall ok config-files
        Version: 1

        Package: multi
        Status: install ok installed
        Architecture: amd64
        Source: many (1.0-1)
        Version: 1.0-1+b2
        Description: text
         Package: fake
        \tStatus: fake

        package:multi
        Status: install ok installed
        Architecture: i386
        Source: many
        Version: 2
        """

    @Test("the installed packages come by name, with the source that they were built from, whatever else it says")
    func packages() {
        func package(_ name: String, _ version: String, _ architecture: String?, _ source: String, _ of: String)
            -> DpkgStatus.Package
        {
            DpkgStatus.Package(
                name: name,
                version: version,
                architecture: architecture,
                source: source,
                sourceVersion: of
            )
        }
        let status = DpkgStatus(Array(text.utf8))
        #expect(
            status.packages == [
                package("a", "1:2-3", nil, "a", "1:2-3"), package("multi", "1.0-1+b2", "amd64", "many", "1.0-1"),
                package("multi", "2", "i386", "many", "2"),
            ]
        )
        #expect(status.versions == ["a": "1:2-3", "multi:amd64": "1.0-1+b2", "multi:i386": "2"])
    }

    @Test(
        "what is no package as Debian has them is passed over",
        arguments: [
            "Package: a\nStatus: install ok installed", "Package: ../a\nStatus: install ok installed\nVersion: 1",
            "Package: a\nStatus: install ok installed\nVersion: 1 2", "Package: a\nVersion: 1",
            "Package: a\nStatus: install ok installed\nVersion: 1\u{1b}[2J",
            "Package:\nStatus: install ok installed\nVersion: 1", "Status: install ok installed", "\u{ff}\u{ff}",
        ]
    )
    func nonsense(_ text: String) { #expect(DpkgStatus(Array(text.utf8)).packages.isEmpty) }

    @Test("a source that can't be one gives way to the package itself, and a line without end is not read")
    func oddFields() {
        let installed = "Status: install ok installed\nVersion: 1\n"
        for source in ["x (2", "x y z", "/x", "x (a b)", String(repeating: "x", count: 1000)] {
            let status = DpkgStatus(Array("Package: a\n\(installed)Source: \(source)\n".utf8))
            #expect(status.packages.map(\.source) == ["a"], "\(source)")
            #expect(status.packages.map(\.sourceVersion) == ["1"], "\(source)")
        }
    }

    @Test("a list that never ends is read up to a bound")
    func endless() {
        let paragraphs = (0..<DpkgStatus.mostPackages + 5).map {
            "Package: p\($0)\nStatus: install ok installed\nVersion: 1\n\n"
        }
        #expect(DpkgStatus(Array(paragraphs.joined().utf8)).packages.count == DpkgStatus.mostPackages)
    }
}

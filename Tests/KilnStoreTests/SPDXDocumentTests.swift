import Foundation
import KilnModel
import KilnTestSupport
import Testing

@testable import KilnStore

@Suite("The bill of materials")
struct SPDXDocumentTests {
    private let image: ImageManifest

    init() throws {
        image = try StoreFixture().seal(
            "web:1.0",
            mark: 1,
            packages: [
                ImageManifest.Package(
                    name: "libstdc++6",
                    version: "1:12.2.0-14+deb12u1~x",
                    architecture: "amd64",
                    source: "gcc-12",
                    sourceVersion: "12.2.0-14"
                ),
                ImageManifest.Package(
                    name: "libgcc-s1",
                    version: "12.2.0-14",
                    architecture: "amd64",
                    source: "gcc-12"
                ),
                ImageManifest.Package(name: "old", version: "1"),
            ]
        )
    }

    @Test("every package, every source once, and what belongs together")
    func content() throws {
        let document = SPDXDocument(of: image)
        #expect(document.packages.map(\.name) == ["web", "libstdc++6", "libgcc-s1", "old", "gcc-12"])
        let purls = document.packages.compactMap { $0.externalRefs?.first?.referenceLocator }
        #expect(
            purls == [
                "pkg:deb/debian/libstdc%2B%2B6@1:12.2.0-14%2Bdeb12u1~x?arch=amd64",
                "pkg:deb/debian/libgcc-s1@12.2.0-14?arch=amd64", "pkg:deb/debian/old@1",
                "pkg:deb/debian/gcc-12@12.2.0-14?arch=source",
            ]
        )
        let kinds = Dictionary(grouping: document.relationships, by: \.relationshipType).mapValues(\.count)
        #expect(kinds == [.describes: 1, .contains: 3, .generates: 2])
        let ids = Set(document.packages.map(\.id) + [document.id])
        #expect(ids.count == 6)
        for id in ids { #expect(id.wholeMatch(of: /SPDXRef-[A-Za-z0-9.-]+/) != nil, "\(id)") }
        for relationship in document.relationships {
            #expect(ids.contains(relationship.spdxElementId) && ids.contains(relationship.relatedSpdxElement))
        }
    }

    @Test("nothing is missing that the standard demands, in the forms that it demands")
    func demanded() throws {
        let encoded = try JSONEncoder().encode(SPDXDocument(of: image))
        let document = try #require(try JSONSerialization.jsonObject(with: encoded) as? [String: Any])
        func text(_ key: String, of map: [String: Any]) -> String { map[key] as? String ?? "" }
        #expect(text("SPDXID", of: document) == "SPDXRef-DOCUMENT")
        #expect(text("documentNamespace", of: document).wholeMatch(of: /https:\/\/[^#\s]+/) != nil)
        #expect(!text("name", of: document).isEmpty)
        let creation = try #require(document["creationInfo"] as? [String: Any])
        #expect(text("created", of: creation).wholeMatch(of: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/) != nil)
        let creators = try #require(creation["creators"] as? [String])
        #expect(!creators.isEmpty && creators.allSatisfy { $0.hasPrefix("Tool: ") })
        let packages = try #require(document["packages"] as? [[String: Any]])
        for package in packages {
            #expect(text("SPDXID", of: package).hasPrefix("SPDXRef-") && !text("name", of: package).isEmpty)
            #expect(text("downloadLocation", of: package) == "NOASSERTION")
            #expect(package["filesAnalyzed"] as? Bool == false, "else it would need a code for all its files")
            for reference in package["externalRefs"] as? [[String: Any]] ?? [] {
                #expect(text("referenceCategory", of: reference) == "PACKAGE-MANAGER")
                #expect(text("referenceType", of: reference) == "purl")
                #expect(text("referenceLocator", of: reference).wholeMatch(of: /pkg:deb\/[^\s]+@[^\s]+/) != nil)
            }
            for checksum in package["checksums"] as? [[String: Any]] ?? [] {
                #expect(text("algorithm", of: checksum) == "SHA256")
                #expect(text("checksumValue", of: checksum).wholeMatch(of: /[0-9a-f]{64}/) != nil)
            }
        }
        let relationships = try #require(document["relationships"] as? [[String: Any]])
        #expect(relationships.contains { text("relationshipType", of: $0) == "DESCRIBES" })
    }

    @Test("the keys are the standard's, and the same image gives the same document")
    func keys() throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        let first = try encoder.encode(SPDXDocument(of: image))
        #expect(try encoder.encode(SPDXDocument(of: image)) == first)
        let fields = try #require(try JSONSerialization.jsonObject(with: first) as? [String: Any])
        #expect(
            Set(fields.keys) == [
                "SPDXID", "spdxVersion", "dataLicense", "name", "documentNamespace", "creationInfo", "packages",
                "relationships",
            ]
        )
        #expect(fields["spdxVersion"] as? String == "SPDX-2.3" && fields["dataLicense"] as? String == "CC0-1.0")
        #expect((fields["documentNamespace"] as? String)?.hasSuffix(image.digest.hex) == true)
        let packages = try #require(fields["packages"] as? [[String: Any]])
        #expect(packages.last?["primaryPackagePurpose"] as? String == "SOURCE")
        #expect(packages[1]["primaryPackagePurpose"] == nil)
    }
}

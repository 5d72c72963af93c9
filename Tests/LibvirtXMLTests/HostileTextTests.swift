import Foundation
import KilnModel
import Testing

@testable import LibvirtXML

@Suite("Hostile texts and documents")
struct HostileTextTests {
    static let texts = [
        "/a<x>b</x>", "/a&amp;b&lt;&#10;&name;", "/a]]>b", "/a'b\"c", "/a\nb\tc\rd", "/a\r\nb", "/🔥\u{301}é漢",
        "/a,file=/etc/shadow", "/<!-- a --> <?b?> <![CDATA[c]]>", " /a ", "/" + String(repeating: "x", count: 1000),
    ]

    @Test("a hostile text is one node that reads back as itself", arguments: texts)
    func roundTrip(text: String) throws {
        let disk = MachineSpec.Disk(path: text, backing: [text])
        for boot in [
            MachineSpec.Boot.direct(kernel: text, initrd: text, commandLine: text), .firmware(.uefi, serial: text),
        ] {
            let machine = try Machines.machine(boot: boot, root: disk, seed: text, volumes: 0, consoleLog: text)
            let xml = try DomainDocument.xml(for: machine)
            let read = try LiveDomain(xml: xml)
            #expect(read.disks.map(\.path) == [text, text])
            #expect(read.disks.map(\.backing) == [[text], []])
            #expect(read.consoleLog == text)
            if case .direct = boot {
                #expect(read.kernel == text)
                #expect(read.initrd == text)
            }
            let plain = try Machines.machine(boot: Self.plain(boot), root: Machines.disk("r", layers: 2), volumes: 0)
            #expect(try Self.shape(of: xml) == Self.shape(of: DomainDocument.xml(for: plain)))
        }
    }

    /// The same way to boot with harmless texts.
    private static func plain(_ boot: MachineSpec.Boot) -> MachineSpec.Boot {
        switch boot {
        case .direct: .direct(kernel: "k", initrd: "i", commandLine: "c")
        case .firmware(let firmware, _): .firmware(firmware, serial: "s")
        }
    }

    /// The names of all elements and attributes in order: whatever a text could have added would show here.
    private static func shape(of xml: String) throws -> [String] {
        func names(_ element: XMLElement) -> [String] {
            [element.name] + element.attributes.map { "@\($0.name)" } + element.children.flatMap(names) + ["/"]
        }
        return names(try XMLElement.parsed(xml))
    }

    @Test(
        "a character that XML can't carry is refused",
        arguments: ["\u{0}", "\u{1}", "\u{8}", "\u{b}", "\u{1b}", "\u{1f}", "\u{fffe}", "\u{ffff}"]
    )
    func refused(character: String) throws {
        let disk = MachineSpec.Disk(path: "/a\(character)b", backing: [])
        #expect { try DomainDocument.xml(for: Machines.machine(root: disk)) } throws: { error in
            (error as? XMLError)?.kind == .unacceptableText
        }
        let boot = MachineSpec.Boot.direct(kernel: "/k", initrd: nil, commandLine: "a\(character)b")
        #expect(throws: XMLError.self) { try DomainDocument.xml(for: Machines.machine(boot: boot)) }
        let machine = try Machines.machine()
        #expect(throws: XMLError.self) { try DeviceDocument.disk(.seed("/a\(character)"), of: machine) }
    }

    @Test("entities that multiply are refused and not expanded")
    func billionLaughs() throws {
        let levels = (1..<30).map { level in
            "<!ENTITY l\(level) \"" + String(repeating: "&l\(level - 1);", count: 10) + "\">"
        }
        let xml = "<!DOCTYPE domain [<!ENTITY l0 \"ha\">\(levels.joined())]><domain><name>&l29;</name></domain>"
        let start = ContinuousClock.now
        #expect { try LiveDomain(xml: xml) } throws: { ($0 as? XMLError)?.kind == .malformed }
        #expect(start.duration(to: .now) < .seconds(60))
    }

    @Test("an external entity is neither opened nor accepted")
    func externalEntity() throws {
        let secret = FileManager.default.temporaryDirectory.appending(path: "kiln-xml-\(UUID())")
        try Data("secret".utf8).write(to: secret)
        defer { try? FileManager.default.removeItem(at: secret) }
        for declaration in [
            "<!DOCTYPE domain [<!ENTITY x SYSTEM \"\(secret.path)\">]>", "<!DOCTYPE domain SYSTEM \"\(secret.path)\">",
        ] {
            let text = declaration.contains("ENTITY") ? "&x;" : "x"
            let xml = "\(declaration)<domain><name>\(text)</name><uuid>\(UUID())</uuid></domain>"
            #expect { try LiveDomain(xml: xml) } throws: { error in
                (error as? XMLError)?.kind == .malformed && !"\(error)".contains("secret")
            }
        }
    }

    @Test("a broken document is refused with its line")
    func brokenDocument() throws {
        #expect { try LiveDomain(xml: "<domain>\n<name>x</name>\n<oops>\n</domain>") } throws: { error in
            (error as? XMLError)?.kind == .malformed && (error as? XMLError)?.line == 4
        }
    }

    @Test("documents that are no domain are refused", arguments: ["", "x", "<network/>", "<domain/>"])
    func noDomain(xml: String) throws {
        #expect(throws: XMLError.self) { try LiveDomain(xml: xml) }
    }

    @Test("a document beyond the limits in size or depth is refused")
    func limits() throws {
        let large = "<domain>" + String(repeating: " ", count: XMLElement.largestDocument) + "</domain>"
        #expect { try LiveDomain(xml: large) } throws: { ($0 as? XMLError)?.kind == .tooLarge }
        let deep = String(repeating: "<a>", count: 100_000) + String(repeating: "</a>", count: 100_000)
        #expect { try LiveDomain(xml: deep) } throws: { ($0 as? XMLError)?.kind == .malformed }
    }
}

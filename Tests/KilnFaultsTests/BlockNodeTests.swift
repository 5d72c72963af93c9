import KilnModel
import Testing

@testable import KilnFaults

@Suite("The nodes of a disk, as QEMU tells them")
struct BlockNodeTests {
    private static let path = "/home/volumes/data/layer-2.qcow2"
    private static let arguments = [
        "qemu-system-x86_64", "-blockdev",
        #"{"driver":"file","filename":"/home/volumes/data/layer-2.qcow2","node-name":"libvirt-2-storage"}"#,
        #"{"node-name":"libvirt-2-format","read-only":false,"driver":"qcow2","file":"libvirt-2-storage","backing":"b"}"#,
        #"{"driver":"file","filename":"/other","node-name":"libvirt-1-storage"}"#,
    ]

    @Test("a disk of the start is found in the arguments, and opened again with all that it was opened with")
    func start() throws {
        let node = try #require(BlockNode.ofStart(BlockNodeTests.arguments, path: BlockNodeTests.path))
        #expect(node.storage == "libvirt-2-storage" && node.format["backing"] == "b")
        #expect(BlockNode.ofStart(BlockNodeTests.arguments, path: "/other") == nil)
        #expect(BlockNode.ofStart(["{", #"{"node-name":7,"filename":"/a"}"#], path: "/a") == nil)
    }

    @Test("a disk that was plugged in is found among the monitor's nodes, also by a name that is a JSON object")
    func plugged() throws {
        let json = #"json:{"driver":"qcow2","file":{"driver":"file","filename":"/below"}}"#
        let answer: JSONValue = [
            ["drv": "file", "node-name": "s", "file": .string(BlockNodeTests.path)],
            [
                "drv": "qcow2", "node-name": "f", "file": .string(BlockNodeTests.path),
                "image": ["backing-image": ["filename": .string(json)]],
            ],
            ["drv": "qcow2", "node-name": "b", "file": .string(json)],
        ]
        let node = try #require(BlockNode.plugged(answer, path: BlockNodeTests.path))
        #expect(node.storage == "s" && node.format["node-name"] == "f" && node.format["backing"] == "b")
    }

    @Test(
        "an answer of another shape has no node",
        arguments: [JSONValue.null, "text", [], [["drv": "file"]], [[["drv"]]], [["drv": "qcow2", "file": "json:{"]]]
    )
    func hostile(answer: JSONValue) { #expect(BlockNode.plugged(answer, path: BlockNodeTests.path) == nil) }

    @Test("the filter is put below the format and taken out again, and nothing else of the format changes")
    func filter() throws {
        let node = try #require(BlockNode.ofStart(BlockNodeTests.arguments, path: BlockNodeTests.path))
        let filter = BlockErrorFilter(node, code: 5, isOnce: true)
        #expect(filter.insertion.map(\.name) == ["blockdev-add", "blockdev-reopen"])
        #expect(filter.removal.map(\.name) == ["blockdev-reopen", "blockdev-del"])
        let added = try #require(filter.insertion.first?.arguments)
        #expect(added["image"] == "libvirt-2-storage")
        #expect(added["inject-error"]?.array?.first?["errno"] == .int(5))
        let name = try #require(added["node-name"])
        let reopened = filter.insertion.last?.arguments["options"]?.array?.first
        #expect(reopened?["file"] == name && reopened?["backing"] == "b")
        #expect(filter.removal.first?.arguments["options"]?.array?.first == .object(node.format))
        #expect(filter.removal.last?.arguments["node-name"] == name)
    }
}

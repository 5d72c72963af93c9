import Foundation
import KilnModel
import Testing

@Suite struct JSONValueTests {
    private func decode(_ text: String) throws -> JSONValue {
        try JSONDecoder().decode(JSONValue.self, from: Data(text.utf8))
    }

    @Test("every kind of value is told apart")
    func kinds() throws {
        let value = try decode(#"{"a":[0,1,2.5,true,false,null,"x","1","true",{}]}"#)
        #expect(
            value
                == .object([
                    "a": .array([
                        .int(0), .int(1), .double(2.5), .bool(true), .bool(false), .null, .string("x"), .string("1"),
                        .string("true"), .object([:]),
                    ])
                ])
        )
    }

    @Test("a document survives being written and read")
    func roundTrip() throws {
        let value = try decode(
            #"{"b":{"c":[]},"n":9007199254740993,"m":-9223372036854775808,"e":1e300,"ü":"\u0000\n"}"#
        )
        #expect(try JSONDecoder().decode(JSONValue.self, from: JSONEncoder().encode(value)) == value)
        #expect(value["n"] == .int(9_007_199_254_740_993))
    }

    @Test("texts are reached by key, and nothing is found where there is nothing")
    func access() throws {
        let value = try decode(#"{"a":{"b":"c"},"l":["x"]}"#)
        #expect(value["a"]?["b"]?.string == "c")
        #expect(value["l"]?.array?.first?.string == "x")
        #expect(value["a"]?["x"] == nil)
        #expect(value["l"]?["a"] == nil)
        #expect(value["a"]?.array == nil)
        #expect(value["a"]?.string == nil)
    }

    @Test("a transformation reaches every text but the keys")
    func mapStrings() throws {
        let value = try decode(#"{"x":["x",{"x":"x"}],"n":1}"#)
        #expect(value.mapStrings { $0 + "!" } == (try decode(#"{"x":["x!",{"x":"x!"}],"n":1}"#)))
    }
}

import KilnModel
import Testing

@testable import KilnHost

@Suite("What a front says of an answer")
struct FrontLineTests {
    @Test("a whole answer below 500 is good, whoever asked for what is not there")
    func good() {
        #expect(FrontLine.answer("kiln m2 200 12 ----") == FrontAnswer(ordinal: 2, isGood: true, milliseconds: 12))
        #expect(FrontLine.answer("kiln m0 404 3 ----")?.isGood == true)
        #expect(FrontLine.answer("kiln m0 0 +1500 --")?.milliseconds == 1500)
    }

    @Test("an error of the server's, or what was cut, is not")
    func bad() {
        #expect(FrontLine.answer("kiln m1 503 12 ----")?.isGood == false)
        #expect(FrontLine.answer("kiln m1 200 12 SD--")?.isGood == false)
        #expect(FrontLine.answer("kiln m1 0 12 CD")?.isGood == false)
    }

    @Test(
        "what no member answered, or no front says, is nothing",
        arguments: [
            "kiln <NOSRV> 503 12 ----", "kiln m1 x 1 ----", "kiln", "", "other m1 200 1 ----", "kiln mx 200 1 ----",
        ]
    )
    func nothing(_ line: String) { #expect(FrontLine.answer(line) == nil) }
}

import Foundation
import KilnModel
import Testing

@Suite("References to external services")
struct ExternalReferenceTests {
    private let access = ExternalAccess(port: 5_433, user: "app", password: "s3cret", database: "shop")

    @Test("each field has a value, and what is no reference stays as it is")
    func values() throws {
        let all = [try Name("db"): access]
        let text =
            "${external.db.host}:${external.db.port} ${external.db.x} ${external.other.url} ${HOME} ${external.db.user}"
        #expect(all.put(into: text) == "10.0.2.2:5433 ${external.db.x} ${external.other.url} ${HOME} app")
        #expect(all.put(into: "${external.db.url}") == "postgresql://app:s3cret@10.0.2.2:5433/shop")
        #expect(all.put(into: "${external.db.password}/${external.db.database}") == "s3cret/shop")
        #expect([Name: ExternalAccess]().put(into: text) == text)
    }

    @Test("what begins as a reference is found, valid or not")
    func expressions() {
        let text = "${external.db.url} ${external.db} ${externals.db.url} ${servers.db.ports.sql}"
        #expect(ExternalReference.expressions(in: text) == ["external.db.url", "external.db"])
        #expect(ExternalReference(expression: "external.db") == nil)
        #expect(ExternalReference(expression: "external.DB.url") == nil)
        #expect(ExternalReference(expression: "external.db.url")?.description == "${external.db.url}")
    }
}

import KilnModel
import Testing

@Suite("References to ports in user-data")
struct PortReferenceTests {
    @Test("references are replaced, and what a shell expands is left alone")
    func replacing() {
        let text = "a ${servers.db.ports.sql} ${HOME} ${x%.*} $$ ${a:-b.c} ${servers.db.x} $"
        let replaced = PortReference.replacing(in: text) { "\($0.server)=\($0.port)" }
        #expect(replaced == "a db=sql ${HOME} ${x%.*} $$ ${a:-b.c} ${servers.db.x} $")
        #expect(PortReference.expressions(in: text) == ["servers.db.ports.sql", "servers.db.x"])
    }
}

import KilnModel
import KilnStore

extension ImageSuite {
    /// The ports of the guest that the tests ask.
    var ports: [Name: PortSpec] {
        let named = tests.flatMap(\.probe.ports).compactMap { name in
            TestedPort.number(of: name).map { (name, PortSpec(guest: $0)) }
        }
        return Dictionary(named, uniquingKeysWith: { first, _ in first })
    }

    /// The most time that the tests of the recipe may take, each asked twice.
    var patience: Duration {
        tests.reduce(.zero) { $0 + ($1.timeout + $1.patience) * 2 + .seconds(2) }
    }
}

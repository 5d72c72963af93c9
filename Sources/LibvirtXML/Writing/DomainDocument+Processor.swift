internal import KilnModel

extension DomainDocument {
    static func processor(_ spec: MachineSpec) -> [XMLElement] {
        [
            XMLElement("features", [XMLElement("acpi"), XMLElement("apic")]),
            processorModel(spec.size.cpu, spec.platform.acceleration),
            XMLElement("clock", ["offset": "utc"]),
        ]
    }

    private static func processorModel(
        _ model: ProcessorModel?,
        _ acceleration: MachineSpec.Acceleration
    ) -> XMLElement {
        switch (model, acceleration) {
        case (nil, .kvm), (.host, .kvm): XMLElement("cpu", ["mode": "host-passthrough", "check": "none"])
        // QEMU's 'max': all that the translator can do. 'qemu64' with the features of the third level does not boot in QEMU 7.2.
        case (.host, .tcg), (.level3, .tcg): XMLElement("cpu", ["mode": "maximum", "check": "none"])
        case (nil, .tcg), (.level2, _): custom("qemu64", level2)
        case (.level3, .kvm): custom("qemu64", level2 + level3)
        case (.named(let name), _): custom(name, [])
        }
    }

    private static func custom(_ model: String, _ features: [String]) -> XMLElement {
        XMLElement(
            "cpu",
            ["mode": "custom", "match": "exact", "check": "none"],
            [XMLElement("model", ["fallback": "forbid"], text: model)]
                + features.map { XMLElement("feature", ["policy": "require", "name": $0]) }
        )
    }

    // QEMU's plainest model boots fastest: every richer one makes the translator emulate wide vector instructions. These
    // make it the psABI's second level, and cost nothing that could be measured; the model has CMPXCHG16B and SSE3 itself.
    private static let level2 = ["ssse3", "sse4.1", "sse4.2", "popcnt"]

    // What https://gitlab.com/x86-psABIs/x86-64-ABI adds in the third; OSXSAVE is set by the kernel where there is XSAVE.
    private static let level3 = ["avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "abm", "movbe", "xsave"]
}

import KilnBakery
import KilnCLI
import KilnModel
import KilnScenarios

extension FilePage {
    /// The pages about files.
    static let all = [lab, scenario, image]

    private static let words = """
        Unknown fields are refused, and all problems are reported at once, with line and column. A name has 1 to 40 \
        characters of a-z, 0-9 and '-', begins with a letter and does not end in '-'. A size needs a unit: KiB, \
        MiB, GiB or TiB. So does a duration: ms, s, m or h. A command is a list (program and arguments), or a text \
        that /bin/sh -c runs.
        """

    static let lab = FilePage(
        name: "kiln.yaml",
        title: "a lab: volumes and servers",
        intro: """
            A lab file declares volumes and servers. 'kiln init' writes one, 'kiln up' brings it up, 'kiln replace' \
            replaces a server by what it declares, 'kiln scenario lint' checks it, and 'kiln schema' prints its \
            JSON Schema for editors.

            \(words)
            """,
        schema: ["tags", "matrix", "external", "steps", "finally", "steps-named"].reduce(ScenarioSchema.document) {
            $0.dropping(field: $1)
        },
        example: StarterLab.text,
        seeAlso: "kiln(1), kiln-scenario(5), kiln-image(5)"
    )

    static let scenario = FilePage(
        name: "kiln-scenario",
        title: "a lab with steps, for kiln run",
        intro: """
            A scenario is a lab, as in kiln.yaml(5), with steps that are done in order. 'kiln run' carries them out \
            in a lab of its own, judges what happened, and removes the lab. 'kiln scenario new' writes one to start from.

            \(words)
            """,
        schema: ScenarioSchema.document.dropping(field: "lab"),
        example: """
            kiln: 1
            name: replace-keeps-data
            lab: kiln.yaml
            steps:
              - up
              - write-ledger: { server: web, path: /data/ledger }
              - replace: { server: web, image: tiny:2 }
              - verify-ledger: { server: web }
              - expect: { server: web, generation: 2, drift: none }
            """,
        seeAlso: "kiln(1), kiln.yaml(5)"
    )

    static let image = FilePage(
        name: "kiln-image",
        title: "a recipe, for kiln image bake",
        intro: """
            A recipe is a folder with a file image.yaml, and the programs and files that its steps use. It begins with a Debian \
            or with another image, and its steps change that in order. 'kiln image bake' makes an image of each of its \
            versions. A size needs a unit: KiB, MiB, GiB or TiB.
            """,
        schema: RecipeSchema.document,
        example: """
            kiln-image: 1
            name: small
            about: A small image.
            from: debian-13:1
            provision:
              - packages: [nginx-light]
              - shell: assemble.sh
            memory: 512MiB
            versions: { "1": {} }
            """,
        seeAlso: "kiln(1), kiln.yaml(5), mmdebstrap(1)"
    )
}

extension JSONValue {
    /// A schema without one of its fields.
    func dropping(field: String) -> JSONValue {
        guard case .object(var map) = self, case .object(var fields)? = map["properties"] else { return self }
        fields[field] = nil
        map["properties"] = .object(fields)
        return .object(map)
    }
}

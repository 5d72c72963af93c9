extension PackageArchive {
    /// Writes the recipe `probe`, whose tree is made of the package as it was on a day.
    func writeRecipe(in recipes: RecipeFolder, _ day: String) throws {
        let text = """
            kiln-image: 1
            name: probe
            about: A tree of one package.
            debian:
              suite: trixie
              variant: extract
              packages: [\(PackageArchive.package)]
              mirror: '\(mirror)'
            snapshot: \(day)
            provision: [{ shell: { run: assemble.sh, outside: true } }]
            disk: 24MiB
            command-line: quiet
            memory: 64MiB
            processors: 1
            cloud-init: none
            ssh: false
            versions: { "1": {} }

            """
        try recipes.write(text, to: "probe/image.yaml")
        try recipes.write(PackageArchive.assemble, to: "probe/assemble.sh", isProgram: true)
    }

    // Kernel and initrd are whatever they are: nobody boots it.
    private static let assemble = """
        #!/bin/sh
        set -eu
        mv "$KILN_TREE"/* "$KILN_ROOT"/
        rm -rf "$KILN_ROOT/etc/apt" "$KILN_ROOT/etc/hostname" "$KILN_ROOT/etc/resolv.conf"
        mv "$KILN_TREE/.kiln-packages" "$KILN_BOOT/packages"
        echo kernel > "$KILN_BOOT/kernel"
        echo initrd > "$KILN_BOOT/initrd"

        """
}

extension CommandPage {
    /// What the commands can't say of themselves: variables and files.
    static let surroundings: [(String, [(term: String, about: String)])] = [
        (
            "Environment",
            [
                ("KILN_HOME", "Where Kiln keeps its state."),
                (
                    "LIBVIRT_DEFAULT_URI",
                    "The libvirt connection, where --connect names none. Without both, Kiln starts a private daemon."
                ),
                (
                    "KILN_LOG",
                    "A file to which every call to libvirt, to guests and to other programs is appended."
                ),
                (
                    "KILN_DEBIAN_MIRROR, KILN_DEBIAN_KEYRING",
                    "URLs of Debian mirrors, and a file with their keys, for recipes that name none; without them the host's apt says."
                ),
                ("NO_COLOR", "Where it is set and not empty, nothing is written in colour."),
            ]
        ),
        (
            "Files",
            [
                (
                    "kiln.yaml",
                    "The lab file that 'kiln up' and 'kiln down' read where -f names none; see kiln.yaml(5)."
                ),
                (
                    "./Images, ./Scenarios",
                    "Where recipes and scenarios are looked for by name; for root only where nobody else can write."
                ),
                (
                    "$XDG_DATA_HOME/kiln/images, $XDG_DATA_HOME/kiln/scenarios",
                    "Where they are looked for next; without XDG_DATA_HOME in ~/.local/share."
                ),
                (
                    "/usr/share/kiln/images, /usr/share/kiln/scenarios",
                    "The recipes and scenarios that are installed; after 'make install' below its PREFIX."
                ),
                ("/var/lib/kiln", "The state of root, unless KILN_HOME names another folder."),
                (
                    "$XDG_STATE_HOME/kiln, ~/.local/state/kiln",
                    "The state of everybody else. In it, 'evidence' holds what failed replacements and runs left."
                ),
            ]
        ),
    ]
}

import KilnModel
import KilnSystem

/// What a guest is told of the networks of its lab: the addresses of its cards, and the names of the servers on them.
struct GuestNetwork: Sendable {
    /// A card with the address that it gets.
    struct Card: Sendable {
        let mac: MACAddress
        let address: NetworkAddress
    }

    /// The cards in the order of the server's networks.
    let cards: [Card]
    /// The servers that it can reach, itself included, by address.
    let peers: [NetworkAddress: Name]
    /// Those of them that are the first of several members, who have a name with their number, too.
    var firsts: Set<Name> = []
    /// The external services that it can reach, through the host.
    var externals: [Name] = []

    /// Nothing, for a server on no network.
    static let none = GuestNetwork(cards: [], peers: [:])

    /// These cards and servers.
    init(cards: [Card], peers: [NetworkAddress: Name]) {
        self.cards = cards
        self.peers = peers
    }

    /// What the lab's book says of a server that is on `networks`.
    init(of workspace: ServerWorkspace, _ networks: [Name]) throws {
        let book = try networks.isEmpty ? NetworkBook() : workspace.networkBook()
        let cards = try networks.map { name in
            let address = try workspace.address(on: name, in: book)
            return Card(mac: MACAddress(of: address), address: address)
        }
        self.init(cards: cards, peers: book.peers(on: networks))
        guard !networks.isEmpty else { return }
        let lab = try DurableFile.readJSON(LabSpec.self, from: workspace.state.lab(workspace.id.lab) + "/lab.json")
        firsts = Set((lab?.servers ?? [:]).filter { $0.value.fleet != nil }.keys)
    }

    /// The cards as network-config has them, by a name that is only the document's.
    ///
    /// Nothing waits for them at boot, and nothing leaves the network: there is no gateway. They are matched as the first card
    /// is, by their addresses and without 'set-name'.
    var ethernets: [String: JSONValue] {
        let entries = cards.enumerated().map { index, card in
            let entry = JSONValue.object([
                "match": .object(["macaddress": .string(card.mac.description)]),
                "addresses": .array([.string("\(card.address)/\(NetworkAddress.prefix)")]),
                "dhcp4": .bool(false),
                "optional": .bool(true),
            ])
            return ("nic\(index + 1)", entry)
        }
        return Dictionary(uniqueKeysWithValues: entries)
    }

    /// The command of `bootcmd` that writes the names into /etc/hosts, between two lines of its own; nothing for a server on no
    /// network and without external services.
    ///
    /// cloud-init makes /etc/hosts anew from a template at each boot where 'manage_etc_hosts' says so, and after bootcmd. So the
    /// template gets them too.
    var hostsCommand: JSONValue? {
        let servers = peers.sorted { $0.key < $1.key }.map { address, name in
            "\(address) \(name)" + (firsts.contains(name) ? " \(name)-0" : "")
        }
        let lines = servers + externals.map { "\(ExternalAccess.guestHost) \($0)" }
        guard !lines.isEmpty else { return nil }
        return .string(GuestNetwork.script.replacing("LINES", with: lines.joined(separator: "\n")))
    }

    /// The files that ``hostsCommand`` writes to.
    static let hostsFiles = ["/etc/hosts", "/etc/cloud/templates"]

    // Names are of letters, digits and '-' only, so nothing has to be quoted.
    private static let script = #"""
        for file in /etc/hosts /etc/cloud/templates/hosts.*.tmpl; do
            [ -f "$file" ] || [ "$file" = /etc/hosts ] || continue
            touch "$file" && sed -i '/^# kiln: servers/,/^# kiln: end/d' "$file" && cat >>"$file" <<'KILN'
        # kiln: servers of this lab
        LINES
        # kiln: end
        KILN
        done
        """#
}

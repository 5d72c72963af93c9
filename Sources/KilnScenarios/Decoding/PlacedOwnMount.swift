import KilnDocuments
import KilnModel

/// A place in user-data that mounts a volume, which does not go with warm-first.
struct PlacedOwnMount {
    private let place: Value
    private let mount: OwnMount

    /// Reports it: at boot the machine of a warm-first replacement has no volumes yet.
    func refuse() { place.problem("\(mount.found) is not allowed with strategy warm-first: \(OwnMount.reason)") }

    /// Why a step can't replace `server` warm-first.
    func refusal(of server: Name) -> String {
        "the user-data of '\(server)' has \(mount.found), which does not go with warm-first: \(OwnMount.reason)"
    }

    /// All of them in the user-data of a server with these volumes.
    static func all(in userData: UserDataDecoder.UserData, of volumes: [Name: String]) -> [PlacedOwnMount] {
        let paths = Set(volumes.values)
        let modules = userData.modules.flatMap { key, value in
            value.elements.compactMap { element in
                OwnMount(element.node.json, of: key, paths: paths).map { PlacedOwnMount(place: element, mount: $0) }
            }
        }
        let scripts = userData.scripts.compactMap { text, place in
            OwnMount(.string(text), of: "runcmd", paths: paths).map { PlacedOwnMount(place: place, mount: $0) }
        }
        return modules + scripts
    }
}

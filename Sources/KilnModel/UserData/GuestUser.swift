/// Whom a guest lets in with the key of `kiln ssh`, as far as that is known outside of it.
public enum GuestUser {
    /// Whom a cloud-config names: its default user, or root where it makes others instead; nothing where that is the image's.
    public static func named(by config: JSONValue?) -> String? {
        if let name = name(config?["user"]) { return name }
        if let users = config?["users"]?.array, !users.contains(.string("default")) { return "root" }
        return name(config?["system_info"]?["default_user"])
    }

    /// The default user of an image: Ubuntu's, or Debian's.
    public static func ofImage(named name: Name, packages: [ImageManifest.Package]) -> String {
        let isUbuntu = name.text.hasPrefix("ubuntu") || packages.contains { $0.version.contains("ubuntu") }
        return isUbuntu ? "ubuntu" : "debian"
    }

    /// The name in what describes a default user.
    static func name(_ user: JSONValue?) -> String? {
        (user?.string ?? user?["name"]?.string).flatMap { $0.isEmpty ? nil : $0 }
    }
}

/// What of a server's user-data is not done in a machine of its image, or is done otherwise.
public struct UserDataReview {
    private let image: ImageManifest?
    private let name: String

    /// A review for an image; nothing where nobody knows it yet.
    public init(_ image: ImageManifest?, named name: String) {
        self.image = image
        self.name = name
    }

    /// Why the image can't use this form of user-data; nothing where it can, or is not known.
    public func refusal(of form: UserDataForm) -> String? {
        guard let image, image.cloudInit == .subset, form != .cloudConfig else { return nil }
        return "the image \(name) has a subset of cloud-init, which reads a cloud-config and not \(form.about)"
    }

    /// Why nothing of it is read; nothing where it is, or the image is not known.
    public var unread: String? {
        image?.cloudInit == ImageManifest.CloudInit.none
            ? "the image \(name) has no cloud-init, so nothing of it is done" : nil
    }

    /// The keys among these that the image does not do.
    public func undone(_ keys: some Sequence<String>) -> [String] {
        keys.filter { !isDone($0) }.sorted()
    }

    /// What to say of what stands below a top-level key of a cloud-config.
    public func remark(on key: String, _ value: JSONValue) -> String? {
        guard image?.cloudInit != ImageManifest.CloudInit.none else { return nil }
        guard CloudConfigKey.all.contains(key) else {
            return "no module of cloud-init reads it\(Suggestion.text(for: key, among: Array(CloudConfigKey.all)))"
        }
        guard isDone(key) else { return "the image \(name) does not do it: \(reason(key))" }
        switch key {
        case "power_state": return "a machine that ends by itself does not become ready, or not for long"
        case "ssh_keys" where image?.ssh != false: return "not used: Kiln gives each generation a host key of its own"
        case "ssh_genkeytypes" where image?.ssh != false:
            return "not used: Kiln gives each generation a host key of its own, and cloud-init makes no others then"
        case "users" where image?.ssh != false: return lockOut(value)
        case "user" where image?.ssh != false: return renamed(value)
        case "system_info" where image?.ssh != false: return renamed(value["default_user"])
        case "disable_root" where value == .bool(true) && image?.ssh != false:
            return
                "'kiln ssh --user root' is not let in then; where no guest agent answers, Kiln itself comes as another user"
        case _ where isDoubtful && CloudConfigKey.changing.contains(key):
            return "it can't be known whether the cloud-init of the image \(name) does it; "
                + "what a server needs is better baked into its image"
        default: return nil
        }
    }

    // It is not in the store, or was baked before recipes named modules. One that somebody else made does what cloud-init does.
    private var isDoubtful: Bool { image.map { $0.cloudInitModules == nil && $0.recipe != nil } ?? true }

    private func isDone(_ key: String) -> Bool {
        guard let image, CloudConfigKey.all.contains(key) else { return image == nil }
        switch image.cloudInit {
        case .none: return false
        case .subset: return CloudConfigKey.subset.contains(key)
        case .full:
            guard let modules = image.cloudInitModules else { return true }
            return CloudConfigKey.core.contains(key)
                || modules.contains { CloudConfigKey.modules[$0]?.contains(key) == true }
        }
    }

    private func reason(_ key: String) -> String {
        if CloudConfigKey.changing.contains(key) { return "bake it into an image" }
        if key == "power_state" { return "a machine that ends by itself does not become ready; see 'kiln stop'" }
        let how = image?.cloudInit == .subset ? "it has a subset of cloud-init" : "its cloud-init leaves that out"
        return "\(how); bake it into an image, or do it in 'runcmd'"
    }

    private func renamed(_ user: JSONValue?) -> String? {
        GuestUser.name(user).map { name in
            "\(Name.quoted(name)) gets the key of 'kiln ssh' instead of the image's own user: outside of a plain cloud-config say "
                + "'kiln ssh --user \(name)'"
        }
    }

    private func lockOut(_ users: JSONValue) -> String? {
        guard let list = users.array, !list.contains(.string("default")) else { return nil }
        return
            "without 'default' among them only root gets the key of 'kiln ssh': it logs in as root then; or add it"
    }
}

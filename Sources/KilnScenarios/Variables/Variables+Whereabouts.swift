import KilnDocuments

extension Variables {
    /// Where in a file a value stands.
    struct Whereabouts {
        var path: String
        private var isInCopy = false
        /// Whether it is text for programs in a guest, which may have such braces of their own, as JavaScript has.
        private(set) var isForOthers = false

        init(path: String) { self.path = path }

        func below(_ key: String) -> Whereabouts {
            var inner = self
            inner.path = FieldPath.joined(path, key)
            inner.isForOthers = isForOthers || key == "user-data" || isInCopy && key == "content"
            inner.isInCopy = key == "copy-in"
            return inner
        }

        func below(_ index: Int) -> Whereabouts {
            var inner = self
            inner.path = "\(path)[\(index)]"
            inner.isInCopy = false
            return inner
        }
    }
}
